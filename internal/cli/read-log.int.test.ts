import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Listening, listen } from '../http/listen.ts';
import { Secret } from '../secrets/secret.ts';
import { ApiClient } from './api-client.ts';
import { Interrupted } from './cli-error.ts';
import { Patience } from './patience.ts';
import { followLog } from './read-log.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const GREETING = 'retry: 1000\n\n';
const frame = (seq: number) => {
  const line = { seq, at: '', source: 'build', stream: 'stdout', level: 'info', text: `line ${seq}` };
  return `id: ${seq}\nevent: line\ndata: ${JSON.stringify(line)}\n\n`;
};
const END = 'event: end\ndata: {}\n\n';
/** An event stream of this text, which then breaks off. */
const cutAfter =
  (text: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => response.destroy());
  };
const stream =
  (text: string): Answer =>
  (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
const refuse =
  (status: number, code: string): Answer =>
  (_request, response) =>
    response.writeHead(status).end(JSON.stringify({ code, detail: 'No.' }));

describe('a client of an API that comes and goes', () => {
  let server: Listening;
  const ending = { controller: new AbortController() };
  const requests: IncomingMessage[] = [];

  afterEach(async () => {
    requests.length = 0;
    ending.controller = new AbortController();
    await server.close(0);
  });

  /** Answers in this order; the last one for ever. */
  const serve = async (...answers: Answer[]) => {
    server = await listen(
      (request, response) => {
        requests.push(request);
        request.resume();
        (answers[requests.length - 1] ?? answers.at(-1))?.(request, response);
      },
      { port: 0, address: '127.0.0.1' },
    );
    return new ApiClient({
      url: `http://127.0.0.1:${server.port}`,
      token: new Secret('secret-token'),
      signal: ending.controller.signal,
    });
  };
  const follow = async (client: ApiClient) => {
    const seqs: number[] = [];
    let outages = 0;
    const patience = new Patience({
      signal: ending.controller.signal,
      limits: { outageMs: 300, firstPauseMs: 10, longestPauseMs: 50 },
      onOutage: () => {
        outages += 1;
      },
    });
    for await (const entry of followLog(client, '/deployments/x/logs', { patience })) {
      if (entry.kind === 'line') seqs.push(entry.line.seq);
    }
    return { seqs, outages };
  };

  test('A14: goes on behind the last whole event, wherever the stream was cut', async () => {
    const client = await serve(
      cutAfter(`${GREETING}${frame(1)}${frame(2).slice(0, 30)}`),
      refuse(503, 'database_unavailable'),
      cutAfter(`${GREETING}${frame(2)}${frame(3)}`),
      stream(`${GREETING}${frame(4)}${END}`),
    );
    expect(await follow(client)).toEqual({ seqs: [1, 2, 3, 4], outages: 2 });
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1', '3']);
  });

  test('ends when nothing more comes', async () => {
    const client = await serve(cutAfter(`${GREETING}${frame(1)}`), (_request, response) =>
      response.writeHead(204).end(),
    );
    expect((await follow(client)).seqs).toEqual([1]);
  });

  test.each([
    ['is down', refuse(503, 'database_unavailable'), 'No.'],
    ['greets and hangs up', stream(GREETING), 'ends before the deployment does'],
    ['cuts every connection', cutAfter(''), 'cannot be reached'],
  ])('gives up in the end on one that %s', async (_name, answer, message) => {
    const client = await serve(answer);
    await expect(follow(client)).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining(message),
    });
    expect(requests.length).toBeGreaterThan(3);
  });

  test('does not ask again with a token that is no longer accepted', async () => {
    const client = await serve(cutAfter(`${GREETING}${frame(1)}`), refuse(401, 'unauthorized'));
    await expect(follow(client)).rejects.toMatchObject({ exitCode: 4, code: 'unauthorized' });
    expect(requests).toHaveLength(2);
  });

  test('stops at once when it is interrupted', async () => {
    const client = await serve((request, response) => {
      stream(GREETING)(request, response);
      ending.controller.abort(new Interrupted('SIGINT'));
    });
    await expect(follow(client)).rejects.toBeInstanceOf(Interrupted);
  });

  test('sends a request whose answer got lost again, under the same key', async () => {
    const client = await serve(
      (_request, response) => response.destroy(),
      (_request, response) => response.writeHead(202).end('{"id":"x"}'),
    );
    expect(await client.post('/apps/x/deploy')).toEqual({ id: 'x' });
    const keys = requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0]]);
  });

  test('T24: is not sent on to another address with its token', async () => {
    const client = await serve((_request, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${server.port}/elsewhere` }).end(),
    );
    await expect(client.get('/apps')).rejects.toMatchObject({
      message: expect.stringContaining('/elsewhere'),
    });
    expect(requests).toHaveLength(1);
  });
});
