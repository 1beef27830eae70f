import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createLogger } from '../logger/logger.ts';
import { Secret } from '../secrets/secret.ts';
import { type NotificationOptions, Notifications } from './notifications.ts';

describe('notifications', () => {
  const logger = createLogger({ level: 'silent', process: 'up' });
  const quick: NotificationOptions = { probeMs: 50, firstRetryMs: 10, maxRetryMs: 50 };
  let db: TestDatabase;
  let network: Network;
  let notifications: Notifications;
  let heard: string[];

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  beforeEach(async () => {
    network = await Network.before(db.url);
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
  const listen = () => notifications.subscribe('deployment_queued', (payload) => heard.push(payload));

  test('arrive with their payload, at those who listen to the channel', async () => {
    listen();
    await notifications.start();
    await notify('log_appended', 'other');
    await notify('deployment_queued', 'first');
    await until(() => heard.length > 0);
    expect(heard).toEqual(['first']);
  });

  test('M22: after the backend was killed, listeners are woken once with an empty payload and hear again', async () => {
    listen();
    await notifications.start();
    await killBackend();
    await until(() => heard.length > 0);
    expect(heard).toEqual(['']);
    await notify('deployment_queued', 'after');
    await until(() => heard.length > 1);
    expect(heard).toEqual(['', 'after']);
  });

  test('F54: a connection that went silent is noticed by the probe and made again', async () => {
    listen();
    await notifications.start();
    network.freeze();
    await notify('deployment_queued', 'lost');
    // The frozen connection answers nothing, new ones get through.
    await until(() => heard.length > 0, 10_000);
    expect(heard).toEqual(['']);
  });

  test('start without a database, and wake the listeners when it is there', async () => {
    network.refuse();
    listen();
    await notifications.start();
    expect(heard).toEqual([]);
    network.allow();
    await until(() => heard.length > 0);
    expect(heard).toEqual(['']);
  });

  test('can be subscribed to while running, and unsubscribed from', async () => {
    await notifications.start();
    const stop = listen();
    const others: string[] = [];
    notifications.subscribe('log_appended', (payload) => others.push(payload));
    await until(async () => {
      await notify('deployment_queued', 'x');
      return heard.length > 0;
    });
    stop();
    const count = heard.length;
    await notify('deployment_queued', 'unheard');
    await notify('log_appended', 'last');
    await until(() => others.length > 0);
    expect(heard).toHaveLength(count);
  });

  test('go on when a listener throws', async () => {
    notifications.subscribe('deployment_queued', () => {
      throw new Error('a bug in a listener');
    });
    listen();
    await notifications.start();
    await notify('deployment_queued', 'heard');
    await until(() => heard.length > 0);
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
      await until(async () => {
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

/** A way to the database that can be cut: refused, or frozen as by a firewall that drops packets. */
class Network {
  readonly url: Secret;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = true;

  private constructor(server: Server, url: Secret) {
    this.#server = server;
    this.url = url;
  }

  static async before(database: Secret): Promise<Network> {
    const target = new URL(database.reveal());
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = new URL(database.reveal());
    url.port = String(address.port);
    const network = new Network(server, new Secret(url.href));
    server.on('connection', (socket) => network.#join(socket, Number(target.port)));
    return network;
  }

  #join(near: Socket, port: number): void {
    if (!this.#open) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
  }

  refuse(): void {
    this.#open = false;
  }

  allow(): void {
    this.#open = true;
  }

  /** Both ends of what is connected now stay open and hear nothing more of each other. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

async function until(condition: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${condition.toString()}`);
    await delay(10);
  }
}
