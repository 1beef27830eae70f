import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startLoad } from './load-client.ts';
import { describeLost, judgeLoad } from './load-report.ts';

describe('the load client', () => {
  let server: Server;
  let release = 'v1';
  let fault: 'none' | 'reset' | 'status' = 'none';
  const gets: boolean[] = [];

  async function listen(): Promise<number> {
    server = createServer((request, response) => {
      if (fault === 'reset') return request.socket.destroy();
      const milliseconds = Number(new URL(request.url ?? '', 'http://x').searchParams.get('ms') ?? 0);
      if (request.method === 'GET') gets.push(request.headers.connection === 'keep-alive');
      const answered = release;
      setTimeout(() => {
        response.writeHead(fault === 'status' ? 503 : 200).end(JSON.stringify({ release: answered }));
      }, milliseconds);
      return undefined;
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    return (server.address() as AddressInfo).port;
  }

  afterEach(() => {
    server.closeAllConnections();
    server.close();
    fault = 'none';
    release = 'v1';
    gets.length = 0;
  });

  const options = { host: 'app.localhost', path: '/', ratePerSecond: 200, maxSeconds: 20 };

  test('A1: keeps its rate, half of it on kept-alive connections, and sees a clean switch as clean', async () => {
    const port = await listen();
    const started = performance.now();
    const load = await startLoad({ ...options, port, slowPosts: { connections: 3, milliseconds: 300 } });
    release = 'v2';
    await load.waitForRelease('v2');
    const answers = await load.stop();
    const seconds = (performance.now() - started) / 1000;

    const verdict = judgeLoad(answers, ['v1', 'v2']);
    expect(describeLost(verdict)).toBe('');
    expect(verdict.byRelease['v2']).toBeGreaterThan(0);
    expect(verdict.slowPosts).toBeGreaterThanOrEqual(3);
    expect((verdict.total - verdict.slowPosts) / seconds).toBeLessThanOrEqual(205);
    const kept = gets.filter(Boolean).length / gets.length;
    expect(kept).toBeGreaterThan(0.4);
    expect(kept).toBeLessThan(0.6);
  });

  test.each(['reset', 'status'] as const)('A1: notices a %s', async (kind) => {
    const load = await startLoad({ ...options, port: await listen() });
    fault = kind;
    while (load.progress.failed === 0) await new Promise((resume) => setTimeout(resume, 20));
    const verdict = judgeLoad(await load.stop(), ['v1']);
    expect(describeLost(verdict)).toMatch(kind === 'reset' ? /ECONNRESET|socket hang up/ : /status 503/);
  });
});
