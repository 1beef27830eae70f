import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { httpRequest } from '../../test/support/http-request.ts';
import { listen } from './listen.ts';

test('T59: a request that never ends is cut, and others are served meanwhile', async () => {
  const server = await listen((_request, response) => void response.end('ok'), {
    port: 0,
    address: '127.0.0.1',
    requestTimeoutMs: 300,
  });
  const slow = connect(server.port, '127.0.0.1');
  let answer = '';
  slow.on('data', (chunk) => {
    answer += chunk.toString();
  });
  slow.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nX-Slow:');
  expect((await httpRequest({ port: server.port, path: '/' })).body).toBe('ok');
  await once(slow, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 408/);
  await server.close(1_000);
});

test('closing lets a request end that runs, takes no new one, and cuts one that stays longer', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = await listen(
    (request, response) => {
      if (request.url === '/stream') response.write('open');
      else void released.then(() => response.end('done'));
    },
    { port: 0, address: '127.0.0.1' },
  );
  const running = httpRequest({ port: server.port, path: '/slow' });
  const stream = connect(server.port, '127.0.0.1');
  stream.write('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(stream, 'data');

  const closed = server.close(200);
  await expect(httpRequest({ port: server.port, path: '/new' })).rejects.toThrow('ECONNREFUSED');
  release();
  expect((await running).body).toBe('done');
  const before = performance.now();
  await closed;
  expect(performance.now() - before).toBeLessThan(2_000);
  await delay(0);
  stream.destroy();
});
