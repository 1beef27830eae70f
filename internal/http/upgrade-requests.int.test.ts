import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Listening, listen } from './listen.ts';

let server: Listening;
let socket: Socket;
let received = '';
beforeEach(async () => {
  server = await listen((request, response) => void readAll(request).then((body) => response.end(body)), {
    port: 0,
    address: '127.0.0.1',
  });
  socket = connect(server.port, '127.0.0.1');
  received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
});
afterEach(async () => {
  socket.destroy();
  await server.close(500);
});

async function readAll(request: IncomingMessage): Promise<string> {
  const { upgrade = 'plain', 'x-name': name = '' } = request.headers;
  let text = `${request.method} ${upgrade} ${String(name)}:`;
  for await (const chunk of request) text += String(chunk);
  return text;
}

const has = (text: string) =>
  waitUntil(text, () => received.includes(text), { intervalMs: 5, explain: () => received });

test('an offer of h2c is passed over: body, odd header bytes, and the next request on the same connection', async () => {
  socket.write(
    Buffer.from(
      'POST /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n' +
        'HTTP2-Settings: AAMAAABk\r\nX-Name: caf\u00e9\r\nContent-Length: 9\r\n\r\nbody',
      'latin1',
    ),
  );
  await new Promise((later) => setImmediate(later));
  socket.write('-more');
  await has('POST plain caf\u00e9:body-more');
  socket.write('GET /b HTTP/1.1\r\nHost: x\r\n\r\n');
  await has('GET plain :');
  expect(received.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
});

test('a chunked body behind an offer arrives whole', async () => {
  socket.write(
    'POST /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  socket.write('4\r\nbody\r\n0\r\n\r\n');
  await has('POST plain :body');
});

test('a WebSocket by another method than GET is a plain request', async () => {
  socket.write(
    'POST /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi',
  );
  await has('POST plain :hi');
});

test('a handler that answers a wish for a WebSocket itself ends the connection with that', async () => {
  socket.write('GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(received).toContain('\r\nConnection: close\r\n');
  expect(received).toContain('GET websocket :');
});

test('a client that goes away in between ends nothing but itself', async () => {
  socket.write('GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.resetAndDestroy();
  const next = connect(server.port, '127.0.0.1');
  next.write('GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [answer] = (await once(next, 'data')) as [Buffer];
  expect(answer.toString()).toContain('200 OK');
  next.destroy();
});
