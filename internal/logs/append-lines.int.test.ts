import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { seedApp } from '../../test/support/seed.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Database, openDatabase, Prisma } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { createLogger } from '../logger/logger.ts';
import { appendLines, LOG_APPENDED, type NewLine } from './append-lines.ts';

const line = (text: string): NewLine => ({ source: 'build', level: 'info', stream: 'stdout', text });

describe('appending lines', () => {
  let db: TestDatabase;
  let other: Database;

  beforeAll(async () => {
    db = await createTestDatabase();
    other = openDatabase(db.url, createLogger({ level: 'silent', process: 'up' }));
  });
  afterAll(async () => {
    await other.close();
    await db.close();
  });

  const stored = (streamId: string) =>
    db.database.prisma.logLine.findMany({ where: { streamId }, orderBy: { seq: 'asc' } });

  test('keeps every field, numbers from 1, and counts lines and bytes', async () => {
    const { prisma } = db.database;
    const id = newId();
    const lines: NewLine[] = [
      { source: 'build', level: 'info', stream: 'stderr', text: '  grün, "quoted" {a,b} \\n\ttab ' },
      { source: 'deploy', level: 'error', stream: null, text: '' },
    ];
    expect(await appendLines(prisma, id, lines)).toBe(2n);
    expect(await stored(id)).toMatchObject(lines.map((each, index) => ({ ...each, seq: BigInt(index + 1) })));
    const bytes = lines.reduce((sum, each) => sum + Buffer.byteLength(each.text), 0);
    const stream = await prisma.logStream.findUnique({ where: { id } });
    expect(stream).toMatchObject({ id, lastSeq: 2n, bytes: BigInt(bytes) });
  });

  test('of nothing does nothing', async () => {
    const id = newId();
    expect(await appendLines(db.database.prisma, id, [])).toBeNull();
    expect(await db.database.prisma.logStream.findUnique({ where: { id } })).toBeNull();
  });

  test('I6: two writers race, and a reader sees numbers without a gap and in order at every moment', async () => {
    const id = newId();
    let isWriting = true;
    const writer = async (database: Database, name: string) => {
      for (let batch = 0; batch < 60; batch += 1) {
        const size = 1 + (batch % 7);
        const lines = Array.from({ length: size }, (_, index) => line(`${name} ${batch} ${index}`));
        await appendLines(database.prisma, id, lines);
      }
    };
    const reader = async () => {
      const seen: bigint[] = [];
      do {
        const rows = await db.database.prisma.logLine.findMany({
          where: { streamId: id, seq: { gt: seen.at(-1) ?? 0n } },
          orderBy: { seq: 'asc' },
        });
        seen.push(...rows.map(({ seq }) => seq));
      } while (isWriting);
      return seen;
    };
    const reading = reader();
    await Promise.all([writer(db.database, 'a'), writer(other, 'b')]);
    isWriting = false;

    const rows = await stored(id);
    expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_, index) => index + 1));
    const seen = await reading;
    expect(seen).toEqual(rows.slice(0, seen.length).map(({ seq }) => seq));
    for (const name of ['a', 'b']) {
      const own = rows.filter(({ text }) => text.startsWith(name)).map(({ text }) => text);
      const written = Array.from({ length: 60 }, (_, batch) =>
        Array.from({ length: 1 + (batch % 7) }, (__, index) => `${name} ${batch} ${index}`),
      ).flat();
      expect(own).toEqual(written);
    }
    expect(rows.every((row, index) => index === 0 || row.at >= (rows[index - 1]?.at ?? row.at))).toBe(true);
  });

  test('takes part in a transaction: rolled back, neither lines nor numbers are used', async () => {
    const id = newId();
    const { prisma } = db.database;
    await appendLines(prisma, id, [line('first')]);
    const failing = prisma.$transaction(async (tx) => {
      await appendLines(tx, id, [line('never')]);
      throw new Error('undo');
    });
    await expect(failing).rejects.toThrow('undo');
    expect(await appendLines(prisma, id, [line('second')])).toBe(2n);
  });

  describe('to a stream with an owner', () => {
    const owner = (appId: string) =>
      Prisma.sql`select id from services where id = ${appId} and replicas = 1 for share`;
    const append = (appId: string) =>
      appendLines(other.prisma, `app:${appId}`, [line('late')], { owner: owner(appId) });
    const isWaiting = async () => {
      const { rowCount } = await db.database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rowCount === 1;
    };

    test('stores them while it finds the owner, then nothing, and makes no stream', async () => {
      const { id } = await seedApp(db.database.prisma);
      expect(await append(id)).toBe(1n);
      await db.database.prisma.app.update({ where: { id }, data: { replicas: 2 } });
      expect(await append(id)).toBeNull();
      expect(await stored(`app:${id}`)).toHaveLength(1);

      expect(await append('nobody')).toBeNull();
      expect(await db.database.prisma.logStream.findUnique({ where: { id: 'app:nobody' } })).toBeNull();
    });

    test.each([
      [
        'F37: one that is just being changed',
        (tx: Prisma.TransactionClient, id: string) => tx.app.update({ where: { id }, data: { replicas: 2 } }),
      ],
      [
        'F44: one that is just being deleted',
        (tx: Prisma.TransactionClient, id: string) => tx.app.delete({ where: { id } }),
      ],
    ])('%s is waited for, and then it is no owner', async (_, end) => {
      const { id } = await seedApp(db.database.prisma);
      const appending = await db.database.prisma.$transaction(async (tx) => {
        await end(tx, id);
        const late = append(id);
        await waitUntil('the append waits', isWaiting);
        return { late };
      });
      expect(await appending.late).toBeNull();
      expect(await db.database.prisma.logStream.findUnique({ where: { id: `app:${id}` } })).toBeNull();
    });
  });

  test('notifies the readers of that stream', async () => {
    const id = newId();
    const client = await db.database.pool.connect();
    const heard: (string | undefined)[] = [];
    client.on('notification', ({ payload }) => heard.push(payload));
    try {
      await client.query(`LISTEN ${LOG_APPENDED}`);
      await appendLines(other.prisma, id, [line('x')]);
      await waitUntil('a notification', () => heard.length > 0);
      expect(heard).toEqual([id]);
    } finally {
      client.release(true);
    }
  });
});
