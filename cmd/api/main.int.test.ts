import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ProductProcess } from '../../test/support/child-process.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { pushPayload } from '../../test/support/github-events.ts';
import { httpRequest } from '../../test/support/http-request.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { signedWebhook } from '../../test/support/webhook-sender.ts';

// Each test starts processes, several of them more than once.
jest.setTimeout(300_000);

/** From the sources it takes long to start where much else runs. */
const START_MS = 120_000;
const CHECKOUT = resolve(import.meta.dirname, '../..');
let database: TestDatabase;
let dataDir: string;
let settings: Record<string, string>;
let processes: ProductProcess[];
beforeEach(async () => {
  database = await createTestDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'berth-main-'));
  const [port, fallbackPort] = await freePorts(2);
  processes = [];
  settings = {
    PATH: process.env['PATH'] ?? '',
    DATA_DIR: dataDir,
    DATABASE_URL: database.url.reveal(),
    PORT: String(port),
    FALLBACK_PORT: String(fallbackPort),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SESSION_SECRET: randomBytes(32).toString('base64'),
  };
});
afterEach(async () => {
  for (const one of processes) await one.kill9();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function startApi(more: Record<string, string> = {}): ProductProcess {
  const started = new ProductProcess({
    name: 'api',
    command: process.execPath,
    args: ['--import', 'tsx', 'cmd/api/main.ts'],
    environment: { ...settings, ...more },
    cwd: CHECKOUT,
    logFile: join(dataDir, 'api.log'),
  });
  processes.push(started);
  return started;
}

const ask = (path: string, more: Partial<Parameters<typeof httpRequest>[0]> = {}) =>
  httpRequest({ port: Number(settings['PORT']), path, ...more });

async function untilHealthy(api: ProductProcess): Promise<void> {
  await waitUntil(
    'the API answers',
    async () => {
      if (!api.isRunning) throw new Error(api.tail);
      return ask('/health').then(
        ({ status }) => status === 200,
        () => false,
      );
    },
    { timeoutMs: START_MS, explain: () => api.tail },
  );
}

const untilEnded = (api: ProductProcess) =>
  waitUntil('it ends', () => !api.isRunning, { timeoutMs: START_MS, explain: () => api.tail });

test('it serves with the token it made, and ends in good order on SIGTERM while a stream is open', async () => {
  const api = startApi();
  await untilHealthy(api);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const made = await ask('/api/v1/apps', {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'shop', repo_url: 'acme/shop' }),
  });
  expect(made.status).toBe(201);
  const deploymentId = (JSON.parse(made.body) as { latest_deployment: { id: string } }).latest_deployment.id;
  expect(existsSync(join(dataDir, 'instance'))).toBe(true);

  const fallback = await httpRequest({
    port: Number(settings['FALLBACK_PORT']),
    path: '/',
    host: 'shop.localhost',
  });
  expect(fallback.body).toContain('"shop"');

  const stream = ask(`/api/v1/deployments/${deploymentId}/logs/stream`, { headers });
  // The log has the request once it is answered; a stream is open by then.
  await ask('/api/v1/apps', { headers });
  const before = performance.now();
  await api.stop();
  expect(performance.now() - before).toBeLessThan(4_000);
  expect((await stream).body).toContain('pending');
  expect(api.tail).not.toContain(token);
});

test('started again it keeps the token and the data', async () => {
  const first = startApi();
  await untilHealthy(first);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  await first.kill9();
  const second = startApi();
  await untilHealthy(second);
  expect(readFileSync(join(dataDir, 'admin-token'), 'utf8').trim()).toBe(token);
  const answer = await ask('/api/v1/apps', { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  await second.stop();
});

test('F10: killed before the commit a keyed request leaves nothing, killed after it everything; retried it is one', async () => {
  let api = startApi();
  await untilHealthy(api);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const { prisma } = database.database;
  const deploy = (repo: string) =>
    ask('/api/v1/deployments', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': repo,
      },
      body: JSON.stringify({ repo }),
    });
  const restart = async () => {
    await api.kill9();
    api = startApi();
    await untilHealthy(api);
  };

  await prisma.$transaction(async (tx) => {
    // What every deployment writes near its end: the request waits here, everything before done and not committed.
    await tx.$executeRaw`LOCK TABLE audit_events IN EXCLUSIVE MODE`;
    const lost = deploy('acme/before').catch(() => null);
    await waitUntil('the request waits for the lock', async () => {
      const [row] = await tx.$queryRaw<{ waiting: bigint }[]>`
        SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted AND relation = 'audit_events'::regclass`;
      return row !== undefined && row.waiting > 0n;
    });
    await api.kill9();
    expect(await lost).toBeNull();
  });
  api = startApi();
  await untilHealthy(api);
  expect(await prisma.app.count()).toBe(0);
  expect((await deploy('acme/before')).status).toBe(202);
  expect(await prisma.deployment.count()).toBe(1);

  const answered = deploy('acme/after').catch(() => null);
  await waitUntil('the commit', async () => (await prisma.deployment.count()) === 2, { intervalMs: 1 });
  await restart();
  const again = await deploy('acme/after');
  expect([again.status, again.headers['idempotency-replayed']]).toEqual([202, 'true']);
  const first = await answered;
  if (first) expect(again.body).toBe(first.body);
  expect(await prisma.deployment.count()).toBe(2);
  await api.stop();
});

test('F11: killed before its commit a webhook leaves nothing, killed after it everything; sent again it is one', async () => {
  let api = startApi();
  await untilHealthy(api);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const { prisma } = database.database;
  const post = async <T>(path: string, body: object): Promise<T> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return JSON.parse((await ask(path, { method: 'POST', headers, body: JSON.stringify(body) })).body) as T;
  };
  const shop = { name: 'shop', repo_url: 'acme/shop', deploy: false };
  const { id } = await post<{ id: string }>('/api/v1/apps', shop);
  const { secret } = await post<{ secret: string }>(`/api/v1/apps/${id}/webhook`, {});
  const deliver = (deliveryId: string) => {
    const payload = pushPayload({ after: deliveryId.padEnd(40, '0') });
    const { headers, body } = signedWebhook({ secret, payload, deliveryId });
    return ask(`/webhooks/github/${id}`, { method: 'POST', headers, body: body.toString() });
  };

  await prisma.$transaction(async (tx) => {
    // What a delivery writes last: it waits here, everything before done and not committed.
    await tx.$executeRaw`LOCK TABLE webhook_outcomes IN EXCLUSIVE MODE`;
    const lost = deliver('a1').catch(() => null);
    await waitUntil('the delivery waits for the lock', async () => {
      const [row] = await tx.$queryRaw<{ waiting: bigint }[]>`
        SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted AND relation = 'webhook_outcomes'::regclass`;
      return row !== undefined && row.waiting > 0n;
    });
    await api.kill9();
    expect(await lost).toBeNull();
  });
  api = startApi();
  await untilHealthy(api);
  expect([await prisma.webhookDelivery.count(), await prisma.deployment.count()]).toEqual([0, 0]);
  expect((await deliver('a1')).status).toBe(202);
  expect(await prisma.deployment.count()).toBe(1);

  const answered = deliver('b2').catch(() => null);
  await waitUntil('the commit', async () => (await prisma.webhookDelivery.count()) === 2, { intervalMs: 1 });
  await api.kill9();
  await answered;
  api = startApi();
  await untilHealthy(api);
  const again = await deliver('b2');
  expect([again.status, again.body]).toEqual([200, expect.stringContaining('duplicate')]);
  expect(await prisma.deployment.count()).toBe(2);
  expect(await prisma.deployment.count({ where: { status: 'pending' } })).toBe(1);
  await api.stop();
});

test('T49: bad settings end it with one message that names all of them, and no value', async () => {
  const api = startApi({ SESSION_SECRET: 'canary-too-short', ENCRYPTION_KEY: '', PORT: 'many' });
  await untilEnded(api);
  for (const name of ['SESSION_SECRET', 'ENCRYPTION_KEY', 'PORT']) expect(api.tail).toContain(name);
  expect(api.tail).not.toMatch(/canary-too-short|at .*\.ts/);
});

test('F50: with another ENCRYPTION_KEY it does not start, says so in one sentence, and changes nothing', async () => {
  const first = startApi();
  await untilHealthy(first);
  await first.stop();
  const { prisma } = database.database;
  const state = async () => [
    await prisma.instance.findMany(),
    await prisma.user.count(),
    await prisma.apiToken.count(),
  ];
  const before = await state();
  const files = {
    instance: readFileSync(join(dataDir, 'instance'), 'utf8'),
    token: readFileSync(join(dataDir, 'admin-token'), 'utf8'),
  };
  rmSync(join(dataDir, 'instance'));

  const other = startApi({ ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  await untilEnded(other);
  expect(other.exitCode).toBe(78);
  expect(other.tail).toMatch(/^ENCRYPTION_KEY is not the key of this database: .*OLD_ENCRYPTION_KEYS.*$/m);
  expect(other.tail).not.toMatch(/at .*\.ts/);
  expect(await state()).toEqual(before);
  expect(existsSync(join(dataDir, 'instance'))).toBe(false);
  expect(readFileSync(join(dataDir, 'admin-token'), 'utf8')).toBe(files.token);

  const changed = startApi({
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    OLD_ENCRYPTION_KEYS: settings['ENCRYPTION_KEY'] ?? '',
  });
  await untilHealthy(changed);
  expect(changed.tail).toContain('run rotate-key');
  expect(readFileSync(join(dataDir, 'instance'), 'utf8')).toBe(files.instance);
  await changed.stop();
});

test('a port that is taken ends it and says which', async () => {
  const other = createServer();
  await new Promise<void>((listening) => other.listen(Number(settings['PORT']), '127.0.0.1', listening));
  try {
    const api = startApi();
    await untilEnded(api);
    expect(api.tail).toContain(`Cannot listen on 127.0.0.1:${settings['PORT']}: another program has it.`);
  } finally {
    other.close();
  }
});
