import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BreakableNetwork } from '../../test/support/breakable-network.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { createLogger } from '../logger/logger.ts';
import { type NotificationOptions, Notifications } from './notifications.ts';

describe('notifications', () => {
  const logger = createLogger({ level: 'silent', process: 'up' });
  const quick: NotificationOptions = { probeMs: 50, firstRetryMs: 10, maxRetryMs: 50 };
  let db: TestDatabase;
  let network: BreakableNetwork;
  let notifications: Notifications;
  let heard: string[];

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  beforeEach(async () => {
    network = await BreakableNetwork.before(db.url);
    notifications = new Notifications(network.url, logger, quick);
    heard = [];
  });
  afterEach(async () => {
    await notifications.close();
    await network.close();
  });
  afterAll(() => db.close());

  const notify = (channel: string, payload: string) =>
    db.database.pool.query('SELECT pg_notify($1, $2)', [channel, payload]);
  const killBackend = () =>
    db.database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'berth notifications' AND datname = current_database()`,
    );
  const heardMore = (than: number) =>
    waitUntil(`a wake after ${than}`, () => heard.length > than, { timeoutMs: 10_000, intervalMs: 5 });
  const listen = () => notifications.subscribe('deployment_queued', (payload) => heard.push(payload));

  test('arrive with their payload, at those who listen to the channel', async () => {
    listen();
    await notifications.start();
    await notify('log_appended', 'other');
    await notify('deployment_queued', 'first');
    await heardMore(0);
    expect(heard).toEqual(['first']);
  });

  test('M22: after the backend was killed, listeners are woken once with an empty payload and hear again', async () => {
    listen();
    await notifications.start();
    await killBackend();
    await heardMore(0);
    expect(heard).toEqual(['']);
    await notify('deployment_queued', 'after');
    await heardMore(1);
    expect(heard).toEqual(['', 'after']);
  });

  test('F54: a connection that went silent is noticed by the probe and made again', async () => {
    listen();
    await notifications.start();
    network.freeze();
    await notify('deployment_queued', 'lost');
    // The frozen connection answers nothing, new ones get through.
    await heardMore(0);
    expect(heard).toEqual(['']);
  });

  test('start without a database, and wake the listeners when it is there', async () => {
    network.refuse();
    listen();
    await notifications.start();
    expect(heard).toEqual([]);
    network.allow();
    await heardMore(0);
    expect(heard).toEqual(['']);
  });

  test('can be subscribed to while running, and unsubscribed from', async () => {
    await notifications.start();
    const stop = listen();
    const others: string[] = [];
    notifications.subscribe('log_appended', (payload) => others.push(payload));
    await waitUntil('LISTEN', async () => {
      await notify('deployment_queued', 'x');
      return heard.length > 0;
    });
    stop();
    const count = heard.length;
    await notify('deployment_queued', 'unheard');
    await notify('log_appended', 'last');
    await waitUntil('the other channel', () => others.length > 0, { intervalMs: 5 });
    expect(heard).toHaveLength(count);
  });

  test('go on when a listener throws', async () => {
    notifications.subscribe('deployment_queued', () => {
      throw new Error('a bug in a listener');
    });
    listen();
    await notifications.start();
    await notify('deployment_queued', 'heard');
    await heardMore(0);
    expect(heard).toEqual(['heard']);
  });

  test.each(['up', 'away'])(
    'leave no connection behind when closed while the database is %s',
    async (state) => {
      await notifications.start();
      if (state === 'away') {
        network.refuse();
        await killBackend();
      }
      await notifications.close();
      await waitUntil('no connection', async () => {
        const { rows } = await db.database.pool.query(
          `SELECT 1 FROM pg_stat_activity
         WHERE application_name = 'berth notifications' AND datname = current_database()`,
        );
        return rows.length === 0;
      });
    },
  );

  test('a channel name that is not an identifier is refused', () => {
    expect(() => notifications.subscribe('a; DROP TABLE users', () => undefined)).toThrow(RangeError);
  });
});
