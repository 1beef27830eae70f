import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { PrismaClient } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { appendLines, type NewLine } from './append-lines.ts';
import { clearLines } from './log-clear.ts';
import { listLines, NO_FILTER, nextLines } from './log-reads.ts';
import { LINE_OVERHEAD_BYTES, TRIM_BATCH_LINES, type TrimRule, trimLines } from './trim-lines.ts';

const LONG_AGO = new Date(0);
const TEXT_BYTES = 100;
const LINE_COST = TEXT_BYTES + LINE_OVERHEAD_BYTES;

describe('trimming a log', () => {
  let db: TestDatabase;
  let prisma: PrismaClient;
  let streamId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    prisma = db.database.prisma;
  });
  beforeEach(() => {
    streamId = `app:${newId()}`;
  });
  afterAll(() => db.close());

  const line = (text: string, at?: Date): NewLine => ({
    source: 'runtime',
    level: 'info',
    stream: 'stdout',
    text: text.padEnd(TEXT_BYTES, '.'),
    ...(at && { at }),
  });
  const append = (count: number, at?: Date) =>
    appendLines(
      prisma,
      streamId,
      Array.from({ length: count }, () => line('x', at)),
    );
  const trim = (rule: Partial<TrimRule>) =>
    trimLines(prisma, streamId, { maxBytes: 1e9, before: LONG_AGO, why: 'it is kept small.', ...rule });
  const stored = () => prisma.logLine.findMany({ where: { streamId }, orderBy: { seq: 'asc' } });

  test('within its cap a log stays as it is', async () => {
    await append(10);
    expect(await trim({ maxBytes: 10 * LINE_COST })).toBe(0);
    expect(await stored()).toHaveLength(10);
    expect(await trimLines(prisma, 'nothing', { maxBytes: 0, before: LONG_AGO, why: '' })).toBe(0);
  });

  test('A14: by size: the oldest go, a marker says how many and why, numbers and the rest stay', async () => {
    await append(100);
    expect(await trim({ maxBytes: 60 * LINE_COST })).toBe(40);
    const [marker, next, ...rest] = await stored();
    expect(marker).toMatchObject({
      seq: 40n,
      source: 'deploy',
      level: 'warning',
      stream: null,
      text: '40 older lines were dropped here: it is kept small.',
    });
    expect(next).toMatchObject({ seq: 41n, source: 'runtime' });
    expect(rest).toHaveLength(59);
    // Once more: within the cap now.
    expect(await trim({ maxBytes: 60 * LINE_COST })).toBe(0);
  });

  test('the next trimming moves the marker, which counts all', async () => {
    await append(100);
    await trim({ maxBytes: 60 * LINE_COST });
    await append(20);
    expect(await trim({ maxBytes: 60 * LINE_COST })).toBe(20);
    const all = await stored();
    expect(all).toHaveLength(61);
    expect(all[0]).toMatchObject({ seq: 60n, text: '60 older lines were dropped here: it is kept small.' });
    expect((await prisma.logStream.findUnique({ where: { id: streamId } }))?.bytes).toBe(
      60n * BigInt(TEXT_BYTES),
    );
  });

  test('by age: what is older goes, up to the first line that stays', async () => {
    await append(5, new Date('2026-01-01'));
    await append(1, new Date('2026-02-02'));
    await append(1, new Date('2026-01-01'));
    expect(await trim({ before: new Date('2026-02-01') })).toBe(5);
    expect((await stored()).map(({ seq }) => seq)).toEqual([5n, 6n, 7n]);
  });

  test('all of it may go; then only the marker is left', async () => {
    await append(5);
    expect(await trim({ maxBytes: 0, before: new Date() })).toBe(5);
    expect(await stored()).toMatchObject([
      { seq: 5n, text: '5 older lines were dropped here: it is kept small.' },
    ]);
    expect(await trim({ maxBytes: 0, before: new Date() })).toBe(0);
  });

  test('takes a bounded number at a time', async () => {
    for (let batch = 0; batch < 6; batch += 1) await append(1000);
    expect(await trim({ maxBytes: 0 })).toBe(TRIM_BATCH_LINES);
    expect(await trim({ maxBytes: 0 })).toBe(6000 - TRIM_BATCH_LINES);
    expect(await stored()).toHaveLength(1);
  });

  test('A14: a reader behind the marker misses and repeats nothing, one before it meets the marker', async () => {
    await append(100);
    await trim({ maxBytes: 60 * LINE_COST });
    const read = async (after: bigint) =>
      (await nextLines(prisma, { streamId, after })).lines.map(({ seq }) => seq);
    expect(await read(70n)).toEqual(Array.from({ length: 30 }, (_, index) => BigInt(71 + index)));
    expect((await read(10n))[0]).toBe(40n);
    const page = await listLines(prisma, { streamId, after: 0n, limit: 2, ...NO_FILTER });
    expect(page.lines.map(({ seq }) => seq)).toEqual([40n, 41n]);
  });

  test('a cleared log begins to count anew', async () => {
    await append(10);
    await trim({ maxBytes: 5 * LINE_COST });
    await prisma.$transaction((tx) => clearLines(tx, streamId));
    expect(await stored()).toEqual([]);
    await append(10);
    expect(await trim({ maxBytes: 5 * LINE_COST })).toBe(5);
    expect((await stored())[0]).toMatchObject({
      seq: 15n,
      text: '5 older lines were dropped here: it is kept small.',
    });
  });
});
