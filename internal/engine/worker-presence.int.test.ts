import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { Clock } from '../clock/clock.ts';
import type { PlatformWarning } from '../errors/platform-warnings.ts';
import { createLogger } from '../logger/logger.ts';
import { runPresence } from './worker-presence.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('T17: a worker tells what it warns of, keeps it while Docker is away, and looks again after five minutes', async () => {
  const { prisma } = database.database;
  const logger = createLogger({ level: 'silent', process: 'worker' });
  const stop = new AbortController();
  const told = new Map<number, string[]>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    async sleep(milliseconds) {
      const { warnings } = await prisma.worker.findUniqueOrThrow({ where: { id: 'worker-a' } });
      told.set(now, warnings);
      now += milliseconds;
      if (now > 330_000) stop.abort();
    },
  };
  const answers = new Map<number, PlatformWarning[]>([
    [10_000, ['engine_outdated', 'runc_outdated']],
    [320_000, ['engine_outdated']],
  ]);
  const askedAt: number[] = [];
  const findWarnings = async () => {
    askedAt.push(now);
    const answer = answers.get(now);
    if (!answer) throw new Error('Docker did not answer');
    return answer;
  };

  await runPresence(
    { prisma, clock, logger },
    { identity: { id: 'worker-a' }, findWarnings, signal: stop.signal },
  );

  expect(askedAt).toEqual([0, 10_000, 310_000, 320_000]);
  expect(told.size).toBe(34);
  expect(told.get(0)).toEqual([]);
  expect(told.get(10_000)).toEqual(['engine_outdated', 'runc_outdated']);
  expect(told.get(310_000)).toEqual(['engine_outdated', 'runc_outdated']);
  expect(told.get(320_000)).toEqual(['engine_outdated']);
  expect(await prisma.worker.count()).toBe(0);
});
