import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { signedIn } from '../../test/support/browser.ts';
import { type Listening, listen } from './listen.ts';

const MB = 1024 * 1024;

let api: ApiUnderTest;
let server: Listening;
beforeAll(async () => {
  api = await startApi();
  server = await listen(api.app, { port: 0, address: '127.0.0.1', requestTimeoutMs: 10_000 });
});
afterAll(async () => {
  await server?.close(0);
  await api?.close();
});

/** Sends pieces until it is answered, or has sent them all; tells how much it had to send. */
async function send(
  headers: Record<string, string>,
  pieces: Iterable<Buffer>,
): Promise<{ status: number; code: string | undefined; sent: number }> {
  const request = httpRequest({
    host: '127.0.0.1',
    port: server.port,
    path: '/api/v1/projects',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${api.token}`, ...headers },
  });
  let answer: IncomingMessage | null = null;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', (response: IncomingMessage) => {
      answer = response;
      resolve(response);
    });
    request.once('error', (error) => (answer ? undefined : reject(error)));
  });
  let sent = 0;
  for (const piece of pieces) {
    if (answer !== null) break;
    sent += piece.length;
    await new Promise<void>((written) => request.write(piece, () => written()));
  }
  if (answer === null) request.end();
  const response = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  request.destroy();
  const { code } = JSON.parse(text) as { code?: string };
  return { status: response.statusCode ?? 0, code, sent };
}

function* zeros(megabytes: number): Generator<Buffer> {
  for (let count = 0; count < megabytes; count += 1) yield Buffer.alloc(MB, '0');
}

describe('T59: hostile bodies', () => {
  test('one that says it has 20 MB is refused before it is read', async () => {
    const { status, code, sent } = await send({ 'content-length': String(20 * MB) }, zeros(20));
    expect([status, code]).toEqual([413, 'body_too_large']);
    expect(sent).toBeLessThan(20 * MB);
  });

  test('one that does not say its size is thrown away as it comes', async () => {
    const { status, code } = await send({ 'transfer-encoding': 'chunked' }, zeros(20));
    expect([status, code]).toEqual([413, 'body_too_large']);
  });

  test('nobody’s body is read before it is known whose it is', async () => {
    const { status, sent } = await send(
      { authorization: 'Bearer wrong', 'content-length': String(20 * MB) },
      zeros(20),
    );
    expect(status).toBe(401);
    expect(sent).toBeLessThan(20 * MB);
  });

  test('and meanwhile others are served', async () => {
    const browser = await signedIn(api.app, api.token);
    expect((await browser.get('/api/v1/apps')).status).toBe(200);
  });
});
