import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newId } from '../db/ids.ts';
import { Notifications } from '../db/notifications.ts';
import { createLogger } from '../logger/logger.ts';
import { appendLines } from './append-lines.ts';
import { LogHub } from './log-hub.ts';

const logger = createLogger({ level: 'silent', process: 'api' });
const HOURS = 10_000_000;

describe('the log hub', () => {
  let db: TestDatabase;
  let notifications: Notifications;
  let hub: LogHub;
  let id: string;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  beforeEach(() => {
    id = newId();
    notifications = new Notifications(db.url, logger);
  });
  afterEach(async () => {
    hub.close();
    await notifications.close();
  });
  afterAll(() => db.close());

  // start() returns when it listens: a notification before that would be nobody's, and the poll's to make up for.
  const open = async (options: { notify: boolean; pollMs: number }) => {
    const { prisma } = db.database;
    hub = new LogHub({
      prisma,
      logger,
      notifications: options.notify ? notifications : null,
      pollMs: options.pollMs,
    });
    await notifications.start();
  };
  const append = (streamId: string) =>
    appendLines(db.database.prisma, streamId, [{ source: 'build', level: 'info', stream: null, text: 'x' }]);
  const never = new AbortController().signal;

  test('wakes the readers of a stream by notification alone, all of them', async () => {
    await open({ notify: true, pollMs: HOURS });
    const [one, two] = [hub.follow(id), hub.follow(id)];
    const woken = Promise.all([one.grown(never), two.grown(never)]);
    await append(id);
    await woken;
  });

  test('does not wake the readers of another stream', async () => {
    await open({ notify: true, pollMs: HOURS });
    const other = hub.follow(newId());
    const mine = hub.follow(id);
    let isWoken = false;
    const waiting = new AbortController();
    const wait = other.grown(waiting.signal).then(() => {
      isWoken = true;
    });
    await append(id);
    await mine.grown(never);
    expect(isWoken).toBe(false);
    waiting.abort();
    await wait;
  });

  test('wakes by the poll alone', async () => {
    await open({ notify: false, pollMs: 10 });
    const reader = hub.follow(id);
    await append(id);
    await reader.grown(never);
    // Nothing new: the next one waits until there is.
    const again = reader.grown(never);
    await append(id);
    await again;
  });

  test('what comes between two waits is not missed', async () => {
    await open({ notify: true, pollMs: HOURS });
    const [reader, witness] = [hub.follow(id), hub.follow(id)];
    await append(id);
    await witness.grown(never);
    await reader.grown(never);
  });

  test('tells everyone to look when a connection may have missed something', async () => {
    const { prisma } = db.database;
    let tell: (payload: string) => void = () => undefined;
    const subscribe = (_channel: string, listener: (payload: string) => void) => {
      tell = listener;
      return () => undefined;
    };
    hub = new LogHub({ prisma, logger, notifications: { subscribe }, pollMs: HOURS });
    const readers = [hub.follow(id), hub.follow(newId())];
    const woken = Promise.all(readers.map((reader) => reader.grown(never)));
    tell('');
    await woken;
  });
});
