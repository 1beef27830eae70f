import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BreakableNetwork } from '../../test/support/breakable-network.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { seedApp } from '../../test/support/seed.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { openDatabase, Prisma, type PrismaClient } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { createLogger } from '../logger/logger.ts';
import { Secret } from '../secrets/secret.ts';
import { appendLines } from './append-lines.ts';
import type { LogLimits } from './log-limits.ts';
import { LogWriter, type WrittenLine } from './log-writer.ts';
import { storeBatchOnce } from './store-batch.ts';

const logger = createLogger({ level: 'silent', process: 'up' });
const output = (text: string): WrittenLine => ({ source: 'build', level: 'info', stream: 'stdout', text });
const own = (text: string): WrittenLine => ({ source: 'deploy', level: 'error', stream: null, text });

describe('the log writer', () => {
  let db: TestDatabase;
  let prisma: PrismaClient;
  let streamId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    prisma = db.database.prisma;
  });
  beforeEach(() => {
    streamId = newId();
  });
  afterAll(() => db.close());

  const writer = (limits: Partial<LogLimits> = {}, secrets: readonly Secret[] = []) =>
    new LogWriter({ prisma, streamId, logger, limits, secrets });
  const stored = () => prisma.logLine.findMany({ where: { streamId }, orderBy: { seq: 'asc' } });
  const texts = async () => (await stored()).map(({ text }) => text);

  test('stores lines in order by itself, soon after they were written', async () => {
    const log = writer();
    log.write(output('one\ntwo\n'));
    log.write({ ...output('three'), stream: 'stderr', level: 'warning' });
    await waitUntil('three lines', async () => (await stored()).length === 3);
    expect(await texts()).toEqual(['one', 'two', 'three']);
    expect((await stored()).at(-1)).toMatchObject({ seq: 3n, stream: 'stderr', level: 'warning' });
    await log.close();
  });

  test('flush() returns when everything written before it is stored, so that a status can follow it', async () => {
    const log = writer({ intervalMs: 60_000 });
    for (let index = 0; index < 1200; index += 1) log.write(output(`line ${index}`));
    await log.flush();
    expect(await stored()).toHaveLength(1200);
    await log.close();
  });

  test('close() stores what is left; a line after it is dropped, not thrown', async () => {
    const log = writer();
    log.write(own('last words'));
    await log.close();
    log.write(own('too late'));
    await log.close();
    expect(await texts()).toEqual(['last words']);
  });

  test('T66, T67: what is stored acts on no terminal and holds no line end', async () => {
    const log = writer();
    log.write(output('\x1b]52;c;aGk=\x07<b>ok</b>\x1b[2J \u202edata:\r\n\r\nevent: status'));
    await log.close();
    expect(await texts()).toEqual(['<b>ok</b> data:', '', 'event: status']);
  });

  test('T24: secrets, also ones that become known later, are masked before they are stored', async () => {
    const log = writer({}, [new Secret('canary-one')]);
    log.write(output('canary-one canary-two'));
    log.mask([new Secret('canary-two')]);
    log.write(output(`canary-two ${Buffer.from('canary-one\n').toString('base64')}`));
    // Escapes that part a secret are gone before it is looked for.
    log.write(output('can\x1b[2Jary-one'));
    await log.close();
    expect(await texts()).toEqual(['*** canary-two', '*** ***', '***']);
  });

  test('T24: a secret across the place where a long line is cut is masked', async () => {
    const log = writer({ lineBytes: 64 }, [new Secret('canary-one')]);
    log.write(output(`${'x'.repeat(60)}canary-one${'y'.repeat(60)}`));
    await log.close();
    expect((await texts()).join('')).toBe(`${'x'.repeat(60)}***${'y'.repeat(60)}`);
  });

  test('T68: a line of 1 MB becomes pieces of 16 KB', async () => {
    const log = writer();
    const text = 'ä'.repeat(512 * 1024);
    log.write(output(text));
    await log.close();
    expect((await texts()).every((piece) => Buffer.byteLength(piece) <= 16 * 1024)).toBe(true);
    expect((await texts()).join('')).toBe(text);
  });

  test('T68: past the cap one marker, then only our own words; the next attempt counts what is there', async () => {
    const log = writer({ streamLines: 10 });
    for (let index = 0; index < 50; index += 1) log.write(output(`line ${index}`));
    log.write(own('The build failed.'));
    await log.close();
    const first = await stored();
    expect(first).toHaveLength(12);
    expect(first[10]).toMatchObject({ level: 'warning', stream: null });
    expect(first[10]?.text).toMatch(/^The log is full/);
    expect(first[11]?.text).toBe('The build failed.');

    const second = writer({ streamLines: 10 });
    second.write(output('more'));
    await second.flush();
    second.write(output('and more'));
    await second.close();
    expect((await texts()).includes('and more')).toBe(false);
  });

  test('T68: the cap by bytes', async () => {
    const log = writer({ streamBytes: 1000 });
    for (let index = 0; index < 50; index += 1) log.write(output('x'.repeat(100)));
    await log.close();
    expect(await texts()).toEqual([
      ...Array(10).fill('x'.repeat(100)),
      expect.stringMatching(/^The log is full/),
    ]);
  });

  test('T68: faster than the database: memory stays bounded, a marker says how many are missing', async () => {
    const log = writer({ bufferBytes: 13_600 });
    for (let index = 0; index < 1000; index += 1) log.write(output('x'.repeat(36)));
    await log.flush();
    log.write(output('after'));
    await log.close();
    const all = await texts();
    const [missing] = all.filter((text) => text.includes('are missing here'));
    const kept = all.filter((text) => text.startsWith('x')).length;
    expect(kept).toBeGreaterThan(90);
    expect(kept).toBeLessThan(110);
    expect(missing).toMatch(new RegExp(`^${1000 - kept} lines`));
    expect(all.at(-1)).toBe('after');
  });

  test('a producer that waits for drained() loses nothing', async () => {
    const log = writer({ bufferBytes: 100_000, highWaterBytes: 20_000 });
    for (let index = 0; index < 5000; index += 1) {
      log.write(output(`line ${index}`));
      await log.drained();
    }
    await log.close();
    expect(await texts()).toEqual(Array.from({ length: 5000 }, (_, index) => `line ${index}`));
  });

  test('A8: a producer whose lines are not stored any more is read slowly, until the end', async () => {
    const log = writer({ streamLines: 10, fullPauseMs: 60_000 });
    const isReadOn = () => Promise.race([log.drained().then(() => true), setImmediate(false)]);
    for (let index = 0; index < 10; index += 1) log.write(output(`line ${index}`));
    expect(await isReadOn()).toBe(true);
    log.write(output('one too many'));
    expect(await isReadOn()).toBe(false);
    const waiting = log.drained();
    await log.close();
    await waiting;
  });

  test('20 000 lines are stored in a few seconds', async () => {
    const log = writer();
    const began = performance.now();
    for (let index = 0; index < 20_000; index += 1)
      log.write(output(`npm http fetch GET 200 package-${index} 12ms`));
    await log.close();
    expect(await prisma.logLine.count({ where: { streamId } })).toBe(20_000);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('lines that the database refuses do not stop those behind them', async () => {
    const log = writer({ batchLines: 1 });
    await appendLines(prisma, streamId, [output('first')]);
    // A row where the next number would go: every try violates the key.
    await prisma.logLine.create({ data: { ...output('in the way'), streamId, seq: 2n } });
    log.write(output('refused'));
    await log.flush();
    await prisma.logLine.deleteMany({ where: { streamId, seq: 2n } });
    log.write(output('next'));
    await log.close();
    expect(await texts()).toEqual(['first', 'next']);
  });

  test('F37, F44: lines that come after the owner of the stream has gone are dropped', async () => {
    const { id } = await seedApp(prisma);
    const owner = Prisma.sql`select id from services where id = ${id} for share`;
    const log = new LogWriter({ prisma, streamId, owner, logger });
    log.write(own('in time'));
    await log.flush();
    await prisma.app.delete({ where: { id } });
    for (let index = 0; index < 1200; index += 1) {
      log.write(output('too late'));
      await log.drained();
    }
    await log.flush();
    log.write(own('too late'));
    await log.close();
    expect(await texts()).toEqual(['in time']);

    await prisma.logStream.delete({ where: { id: streamId } });
    expect(await storeBatchOnce(prisma, { streamId, lastSeq: 1n, owner }, [own('too late')])).toBeNull();
    expect(await prisma.logStream.count({ where: { id: streamId } })).toBe(0);
  });

  describe('F19: when the database goes away', () => {
    let network: BreakableNetwork;
    let remote: ReturnType<typeof openDatabase>;

    beforeEach(async () => {
      network = await BreakableNetwork.before(db.url);
      remote = openDatabase(network.url, logger, { maxConnections: 2 });
    });
    afterEach(async () => {
      await remote.close();
      await network.close();
    });
    const killConnections = () =>
      db.database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name = ''`,
      );

    test('what is written meanwhile is stored when it is back, once and in order', async () => {
      const log = new LogWriter({ prisma: remote.prisma, streamId, logger, limits: { batchLines: 10 } });
      const expected = Array.from({ length: 300 }, (_, index) => `line ${index}`);
      for (const text of expected.slice(0, 100)) log.write(output(text));
      await log.flush();
      network.refuse();
      await killConnections();
      for (const text of expected.slice(100, 200)) log.write(output(text));
      await waitUntil('a failed try', () => log.isWaitingForDatabase);
      network.allow();
      for (const text of expected.slice(200)) log.write(output(text));
      await log.close();
      expect(await texts()).toEqual(expected);
    });

    test('killed in the middle of a flood, again and again: every line once', async () => {
      const log = new LogWriter({ prisma: remote.prisma, streamId, logger, limits: { batchLines: 20 } });
      const expected = Array.from({ length: 4000 }, (_, index) => `line ${index}`);
      for (const [index, text] of expected.entries()) {
        log.write(output(text));
        if (index % 500 === 250) await killConnections();
      }
      await log.close();
      expect(await texts()).toEqual(expected);
    });

    test('close() gives up after its patience', async () => {
      const log = new LogWriter({ prisma: remote.prisma, streamId, logger, limits: { patienceMs: 300 } });
      network.refuse();
      log.write(own('lost'));
      await log.close();
      expect(await texts()).toEqual([]);
    });
  });

  test('F19: a batch whose answer was lost after the commit is found again, also behind lines of others', async () => {
    const batch = [output('a'), output('b')];
    await appendLines(prisma, streamId, [output('before')]);
    await appendLines(prisma, streamId, [own('other')]);
    await appendLines(prisma, streamId, batch);
    expect(await storeBatchOnce(prisma, { streamId, lastSeq: 1n }, batch)).toBe(4n);
    expect(await texts()).toEqual(['before', 'other', 'a', 'b']);
    // The same words written anew are another batch.
    expect(await storeBatchOnce(prisma, { streamId, lastSeq: 4n }, batch)).toBe(6n);
  });
});
