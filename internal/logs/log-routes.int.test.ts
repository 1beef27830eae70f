import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import supertest from 'supertest';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { EventReader } from '../../test/support/event-reader.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { LogLevel } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { AppError } from '../errors/app-error.ts';
import { answerErrors } from '../http/answer-errors.ts';
import { type Listening, listen } from '../http/listen.ts';
import { createLogger } from '../logger/logger.ts';
import { mountOperations } from '../openapi/mount-operations.ts';
import { appendLines, type NewLine } from './append-lines.ts';
import { LogHub } from './log-hub.ts';
import { logRoutes } from './log-routes.ts';

const logger = createLogger({ level: 'silent', process: 'api' });
const line = (text: string, level: LogLevel = 'info'): NewLine => ({
  source: 'build',
  level,
  stream: 'stdout',
  text,
});
const status = (state: object): NewLine => ({
  source: 'status',
  level: 'deploy',
  stream: null,
  text: JSON.stringify(state),
});
const FAILED = { status: 'failed', step: null, failure_code: 'build_failed', failure_reason: 'It failed.' };

describe('the log of a deployment', () => {
  let db: TestDatabase;
  let server: Listening;
  let hub: LogHub;
  const finished = new Set<string>();
  const foreign = new Set<string>();
  const cleared: string[] = [];
  const readers: EventReader[] = [];
  const open = new Set<unknown>();
  let id: string;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  // Each test has a server of its own, since one of them closes it.
  beforeEach(async () => {
    id = newId();
    const { prisma } = db.database;
    hub = new LogHub({ prisma, logger, notifications: null, pollMs: 20 });
    const authenticate = async () =>
      ({ userId: 'u', userHash: 'h', role: 'owner', via: 'token', tokenId: 't', scope: 'admin' }) as const;
    const operations = logRoutes({
      prisma,
      hub,
      logger,
      authenticate,
      holdStream: () => () => undefined,
      async findDeployment(_caller, deploymentId) {
        if (foreign.has(deploymentId))
          throw new AppError('not_found', 'There is no deployment with this id.');
        return { isFinished: finished.has(deploymentId) };
      },
      recordClear: async (_tx, _call, deploymentId) => void cleared.push(deploymentId),
      limits: { heartbeatMs: 50, recheckMs: 60, stallMs: 1_000, settleMs: 200 },
    });
    const app = express();
    app.use((_request, response, next) => {
      open.add(response);
      response.once('close', () => open.delete(response));
      next();
    });
    app.use(mountOperations(operations, { authenticate, checkAnswers: true }));
    app.use(answerErrors);
    server = await listen(app, { port: 0, address: '127.0.0.1' });
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    hub.close();
    await server.close(1_000);
  });
  afterAll(() => db.close());

  const append = (...lines: NewLine[]) => appendLines(db.database.prisma, id, lines);
  const call = (method: 'get' | 'delete', query = '') =>
    supertest(`http://127.0.0.1:${server.port}`)[method](`/deployments/${id}/logs${query}`);
  const read = (query = '') => call('get', query);
  const follow = (options: { path?: string; after?: string; headers?: Record<string, string> } = {}) => {
    const { path = 'logs/stream', after, headers } = options;
    const reader = new EventReader({
      port: server.port,
      path: `/deployments/${id}/${path}`,
      headers: { ...(after === undefined ? {} : { 'last-event-id': after }), ...headers },
    });
    readers.push(reader);
    return reader;
  };
  const seqs = (reader: EventReader) =>
    reader.events.filter(({ id: seq }) => seq !== null).map(({ id: seq }) => Number(seq));
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

  describe('as JSON', () => {
    test('is paged by the number of the last line', async () => {
      await append(...upTo(5).map((n) => line(`line ${n}`)));
      const first = await read('?limit=3');
      expect(first.body.items.map(({ text }: { text: string }) => text)).toEqual([
        'line 1',
        'line 2',
        'line 3',
      ]);
      expect(first.body.items[0]).toEqual({
        seq: 1,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        deployment_id: null,
        replica: null,
        source: 'build',
        stream: 'stdout',
        level: 'info',
        text: 'line 1',
      });
      expect(first.body.next_cursor).toBe('3');
      const second = await read(`?limit=3&after=${first.body.next_cursor}`);
      expect(second.body.items.map(({ seq }: { seq: number }) => seq)).toEqual([4, 5]);
      expect(second.body.next_cursor).toBeNull();
    });

    test.each([
      ['?level=error', ['100% broken']],
      ['?level=error,warning', ['100% broken', 'a_b']],
      ['?q=BROKEN', ['100% broken']],
      ['?q=0%25', ['100% broken']],
      ['?q=a_b', ['a_b']],
      ['?q=%5C', ['back\\slash']],
      ['?level=info&q=axb', ['axb']],
      ['?q=nothing', []],
    ])('is filtered: %s', async (query, expected) => {
      await append(line('100% broken', 'error'), line('a_b', 'warning'), line('axb'), line('back\\slash'));
      const answer = await read(query);
      expect(answer.body.items.map(({ text }: { text: string }) => text)).toEqual(expected);
    });

    test.each(['?level=loud', '?after=-1', '?after=x', '?limit=0', '?limit=2001', '?since=1'])(
      'refuses %s and names the field',
      async (query) => {
        const answer = await read(query);
        expect(answer.status).toBe(400);
        expect(answer.body.errors).toHaveLength(1);
      },
    );

    test('of a deployment without lines is empty; of a foreign one it is not there', async () => {
      expect((await read()).body).toEqual({ items: [], next_cursor: null });
      foreign.add(id);
      expect((await read()).status).toBe(404);
    });
  });

  describe('cleared', () => {
    test('is possible when it is finished, and a reader misses and repeats nothing', async () => {
      await append(line('old 1'), line('old 2'));
      expect((await call('delete')).body.code).toBe('not_finished');
      expect((await read()).body.items).toHaveLength(2);

      finished.add(id);
      const answer = await call('delete');
      expect(answer.status).toBe(204);
      expect(cleared).toContain(id);
      expect((await read()).body.items).toEqual([]);
      await append(line('new'));
      expect((await read('?after=2')).body.items).toMatchObject([{ seq: 3, text: 'new' }]);
    });
  });

  test('cleared and gone on: pages and streams skip the gap in front, and only that', async () => {
    await append(...upTo(1500).map((n) => line(`${n}`)));
    finished.add(id);
    await call('delete');
    await append(...upTo(5).map((n) => line(`again ${n}`)));
    const page = await read('?limit=3');
    expect(page.body.items.map(({ seq }: { seq: number }) => seq)).toEqual([1501, 1502, 1503]);
    expect(page.body.next_cursor).toBe('1503');
    const near = await read('?limit=3&after=1499');
    expect(near.body.items.map(({ seq }: { seq: number }) => seq)).toEqual([1501, 1502, 1503]);
    expect(near.body.next_cursor).toBe('1503');
    const reader = follow();
    await reader.closed();
    expect(seqs(reader)).toEqual([1501, 1502, 1503, 1504, 1505]);
  });

  describe('as a stream', () => {
    test('sends what is there, then what comes, statuses in their place, and ends with the deployment', async () => {
      await append(status({ status: 'building', step: 'cloning' }), line('cloning'));
      const reader = follow();
      await reader.count(2);
      await append(line('building'));
      await reader.count(3);
      await append(status(FAILED));
      // Last words that were stored just behind the status.
      await append(line('the cause', 'error'));
      await reader.closed();

      expect(reader.headers).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      });
      expect(reader.events).toMatchObject([
        { id: '1', event: 'status', data: { status: 'building', step: 'cloning' } },
        { id: '2', event: 'line', data: { seq: 2, text: 'cloning' } },
        { id: '3', event: 'line', data: { seq: 3, text: 'building' } },
        { id: '4', event: 'status', data: FAILED },
        { id: '5', event: 'line', data: { text: 'the cause' } },
        { id: null, event: 'end' },
      ]);
    });

    test('goes on past a try that is repeated, and past `live` while the previous release drains', async () => {
      await append(
        status({ status: 'building', step: 'cloning' }),
        status({ status: 'pending', step: null }),
      );
      await append(status({ status: 'live', step: 'draining' }));
      const reader = follow();
      await reader.count(3);
      await append(line('drained'), status({ status: 'live', step: null }));
      await reader.closed();
      expect(seqs(reader)).toEqual([1, 2, 3, 4, 5]);
      expect(reader.events.at(-1)?.event).toBe('end');
    });

    test('of a finished deployment sends all and ends; a reader who has all is told not to come back', async () => {
      finished.add(id);
      await append(...upTo(2500).map((n) => line(`${n}`)), status(FAILED));
      const reader = follow();
      await reader.closed();
      expect(seqs(reader)).toEqual(upTo(2501));
      const again = follow({ after: '2501' });
      await again.opened();
      expect(again.status).toBe(204);
    });

    test('is also what `Accept: text/event-stream` gets at /logs, and `after` works like Last-Event-ID', async () => {
      finished.add(id);
      await append(line('1'), line('2'), line('3'));
      const reader = follow({ path: 'logs?after=1', headers: { accept: 'text/event-stream' } });
      await reader.closed();
      expect(seqs(reader)).toEqual([2, 3]);
      // A browser repeats the address with the header: the header is newer.
      const resumed = follow({ path: 'logs/stream?after=1', after: '2' });
      await resumed.closed();
      expect(seqs(resumed)).toEqual([3]);
    });

    test('filters lines, never statuses', async () => {
      finished.add(id);
      await append(line('a', 'error'), line('b'), status({ status: 'live', step: null }));
      const reader = follow({ path: 'logs/stream?level=error&q=A' });
      await reader.closed();
      expect(seqs(reader)).toEqual([1, 3]);
    });

    test('T67: no content can forge an event', async () => {
      finished.add(id);
      const forged = 'x\n\nevent: status\ndata: {"status":"live"}\n\nid: 99\r\n\r\n\u2028';
      await append(line(forged), line('y'));
      const reader = follow();
      await reader.closed();
      expect(reader.events).toMatchObject([
        { id: '1', event: 'line', data: { text: forged } },
        { id: '2', event: 'line' },
        { event: 'end' },
      ]);
    });

    test('A14, F12, F45: cut again and again while lines come, the reader gets each once and in order', async () => {
      const last = 3000;
      const writing = (async () => {
        for (let n = 0; n < last; ) {
          const batch = Array.from({ length: 1 + (n % 37) }, (_, index) => n + index).filter((m) => m < last);
          await append(...batch.map((m) => line(`line ${m}`)));
          n += batch.length;
        }
        await append(status(FAILED));
        finished.add(id);
      })();
      const received: number[] = [];
      let cuts = 0;
      for (let isOver = false; !isOver && cuts < 1000; ) {
        const reader = follow({ after: String(received.at(-1) ?? 0) });
        // Not a fixed number: the cut falls anywhere, also into the middle of a frame.
        const enough = 1 + ((cuts * 131) % 300);
        await waitUntil('some events', () => reader.events.length >= enough || reader.isClosed, {
          intervalMs: 1,
        });
        reader.close();
        isOver = reader.status === 204 || reader.events.some(({ event }) => event === 'end');
        received.push(...seqs(reader));
        cuts += 1;
      }
      await writing;
      expect(cuts).toBeGreaterThan(5);
      expect(received).toEqual(upTo(last + 1));
    });

    test('a heartbeat keeps a silent stream open', async () => {
      const reader = follow();
      await waitUntil('two heartbeats', () => reader.comments.length >= 2);
      expect(reader.isClosed).toBe(false);
    });

    test('T69: a reader that takes nothing is cut off with bounded memory, and others are not kept waiting', async () => {
      const stuck = follow();
      await stuck.opened();
      stuck.pause();
      const quick = follow();
      const before = process.memoryUsage().arrayBuffers;
      for (let batch = 0; batch < 40; batch += 1) {
        await append(...Array.from({ length: 100 }, () => line('x'.repeat(10_000))));
      }
      await quick.count(4000);
      // 40 MB were written: what waits for the stuck one is a page and socket buffers.
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
      expect(stuck.events.length).toBeLessThan(2000);
      await waitUntil('the stuck one to be cut off', () => open.size === 1);
      stuck.resume();
      await stuck.closed();
      const resumed = follow({ after: stuck.lastId ?? '0' });
      await waitUntil('the rest', () => resumed.lastId === '4000');
      expect([...seqs(stuck), ...seqs(resumed)]).toEqual(upTo(4000));
    });

    test('T42: ends when its reader may no longer see it, and does not begin for who may not', async () => {
      const reader = follow();
      await reader.opened();
      foreign.add(id);
      await reader.closed();
      expect(reader.events).toEqual([]);
      const refused = follow();
      await refused.opened();
      expect(refused.status).toBe(404);
    });

    test('F12: ends when the process closes, without saying that the deployment has ended', async () => {
      await append(line('one'));
      const reader = follow();
      await reader.count(1);
      hub.close();
      await reader.closed();
      expect(reader.events).toHaveLength(1);
    });
  });
});
