import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { NetworkProbe } from './network-probe.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];
const probe = new NetworkProbe(300);
const never = new AbortController().signal;

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  // A server that never reads does not learn that the other side has gone.
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = (answer: RequestListener) => listen(createServer(answer));
const target = (port: number, path: string | null = '/health') => ({
  address: '127.0.0.1',
  port,
  path,
  host: 'blog.example.org',
});

test.each([200, 204, 301, 399])('status %d is good', async (status) => {
  const port = await serve((_, response) => response.writeHead(status).end());
  expect(await probe.ask(target(port), never)).toEqual({ ok: true });
});

test('A15: a bad status is told with the beginning of the body, on one line', async () => {
  const body = `no\n\u001b[31mdatabase\u202e ${'x'.repeat(400)}`;
  const port = await serve((_, response) => response.writeHead(500).end(body));
  const result = await probe.ask(target(port), never);
  expect(result).toMatchObject({ ok: false, connected: true });
  const reason = result.ok ? '' : result.reason;
  expect(reason).toMatch(/^it answered 500 Internal Server Error: "no \[31mdatabase x+"$/);
  expect(reason.length).toBeLessThan(250);
});

test('asks for the path with the Host header of the app', async () => {
  let asked = '';
  const port = await serve((request, response) => {
    asked = `${request.method} ${request.url} ${request.headers.host}`;
    response.end();
  });
  await probe.ask(target(port, '/health/é?deep=1'), never);
  expect(asked).toBe('GET /health/%C3%A9?deep=1 blog.example.org');
});

test('T37: does not follow a redirect', async () => {
  let other = 0;
  const elsewhere = await serve((_, response) => {
    other++;
    response.end();
  });
  const port = await serve((_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}/` }).end(),
  );
  expect(await probe.ask(target(port), never)).toEqual({ ok: true });
  expect(other).toBe(0);
});

test('T37: reads at most 64 KB of a body and decides by the status', async () => {
  let sent = 0;
  const port = await serve((_, response) => {
    const chunk = Buffer.alloc(16 * 1024, 'x');
    const send = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.on('drain', send);
    send();
  });
  expect(await probe.ask(target(port), never)).toEqual({ ok: true });
  expect(sent).toBeLessThan(16 * 1024 * 1024);
});

test('F30: headers and then nothing is bad after the time of one try', async () => {
  const port = await serve((_, response) => void response.writeHead(200).write('a'));
  expect(await probe.ask(target(port), never)).toEqual({
    ok: false,
    connected: true,
    reason: 'it answered 200 OK, but did not finish within 0.3 s',
  });
});

test('F30: a connection without an answer is bad after the time of one try', async () => {
  const port = await listen(createTcpServer(() => undefined));
  expect(await probe.ask(target(port), never)).toEqual({
    ok: false,
    connected: true,
    reason: 'it did not answer within 0.3 s',
  });
});

test('a port that speaks something else is said to be no HTTP', async () => {
  const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')));
  expect(await probe.ask(target(port), never)).toMatchObject({
    connected: true,
    reason: expect.stringContaining('not HTTP'),
  });
});

test('a closed port is told apart from a bad answer', async () => {
  const port = await serve(() => undefined);
  servers.splice(0).forEach((server) => void server.close());
  const refused = { ok: false, connected: false, reason: 'the connection was refused' };
  expect(await probe.ask(target(port), never)).toEqual(refused);
  expect(await probe.ask(target(port, null), never)).toEqual(refused);
});

test('without a path an open port is enough', async () => {
  const port = await listen(createTcpServer(() => undefined));
  expect(await probe.ask(target(port, null), never)).toEqual({ ok: true });
});

test.each([null, '/'])('path %p: ends at once with the reason of the signal', async (path) => {
  const controller = new AbortController();
  const port = await listen(createTcpServer(() => controller.abort(new Error('cancelled'))));
  const slow = new NetworkProbe(20_000);
  const asked =
    path === null
      ? slow.ask({ ...target(port, path), address: '192.0.2.1' }, controller.signal)
      : slow.ask(target(port, path), controller.signal);
  if (path === null) controller.abort(new Error('cancelled'));
  await expect(asked).rejects.toThrow('cancelled');
});
