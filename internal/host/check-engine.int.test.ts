import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { ProductProcess } from '../../test/support/child-process.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Listening, listen } from '../http/listen.ts';

jest.setTimeout(300_000);

/** From the sources it takes long to start where much else runs. */
const START_MS = 120_000;
const CHECKOUT = resolve(import.meta.dirname, '../..');

let folder: string;
let daemon: Server | null;
let asked: string[];

beforeEach(() => {
  folder = mkdtempSync('/tmp/berth-engine-');
  daemon = null;
  asked = [];
});

afterEach(() => {
  daemon?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface DaemonFacts {
  readonly version: string;
  readonly apiVersion: string;
  readonly runc?: string;
  readonly liveRestore?: boolean;
}

/** A daemon that knows nothing but its versions. */
async function startDaemon({ version, apiVersion, runc = '1.3.4', ...more }: DaemonFacts): Promise<void> {
  const answers: Record<string, unknown> = {
    '/version': { Version: version, ApiVersion: apiVersion, Components: [{ Name: 'runc', Version: runc }] },
    '/info': { ServerVersion: version, LiveRestoreEnabled: more.liveRestore ?? true },
  };
  daemon = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'page not found' }));
  }).listen(join(folder, 'docker.sock'));
  await once(daemon, 'listening');
}

function startWorker(databaseUrl = 'postgresql://nobody:nothing@127.0.0.1:9/nowhere'): ProductProcess {
  return new ProductProcess({
    name: 'worker',
    command: process.execPath,
    args: ['--import', 'tsx', 'cmd/worker/main.ts'],
    environment: {
      PATH: process.env['PATH'] ?? '',
      DATA_DIR: folder,
      DATABASE_URL: databaseUrl,
      DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`,
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      SESSION_SECRET: randomBytes(32).toString('base64'),
    },
    cwd: CHECKOUT,
    logFile: join(folder, 'worker.log'),
  });
}

test('A22: the worker refuses an engine that is too old, in one sentence, before it touches the database', async () => {
  await startDaemon({ version: '19.03.15', apiVersion: '1.40' });
  const worker = startWorker();
  await waitUntil('the worker to end', () => !worker.isRunning, {
    timeoutMs: START_MS,
    explain: () => worker.tail,
  });
  expect(worker.tail).toContain('Docker Engine 19.03.15 (API 1.40) is too old: install 20.10 or newer.');
  expect(worker.tail).not.toContain(' at ');
});

test('A22, T17: a newer engine, one without live-restore, and an old runc are worked with and said once', async () => {
  await startDaemon({ version: '31.0.0', apiVersion: '1.70', runc: '1.1.4', liveRestore: false });
  const database = await createTestDatabase();
  const worker = startWorker(database.url.reveal());
  try {
    await waitUntil('the worker to start', () => worker.tail.includes('worker started'), {
      timeoutMs: START_MS,
      explain: () => worker.tail,
    });
    expect(worker.tail.split('31.0.0 is newer')).toHaveLength(2);
    expect(worker.tail.split('"live-restore\\": true')).toHaveLength(2);
    expect(worker.tail.split('runc 1.1.4 is of a time')).toHaveLength(2);
    // A version in the path is what a newer engine would refuse.
    expect(asked.filter((path) => /^\/v\d/.test(path))).toEqual([]);
    await worker.stop();
  } finally {
    await worker.kill9();
    await database.close();
  }
});

describe('health beside a daemon', () => {
  let database: TestDatabase;
  let api: ApiUnderTest;
  let server: Listening;
  // Each worker has a key of its own, so it needs a database of its own.
  beforeEach(async () => {
    database = await createTestDatabase();
    api = await startApi({ database });
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
  });
  afterEach(async () => {
    await server?.close(0);
    await api?.close();
    await database?.close();
  });

  test.each([
    {
      which:
        'with an old engine and runc the worker warns at its start, and /health is degraded by codes alone',
      facts: { version: '20.10.24', apiVersion: '1.41', runc: '1.1.4' },
      logged: ['Docker Engine 20.10.24 may stop', 'Docker Engine 20.10.24 is of a time', 'runc 1.1.4 is of'],
      health: { status: 'degraded', warnings: ['engine_outdated', 'runc_outdated'] },
    },
    {
      which: 'with new ones it warns of nothing, and /health is ok',
      facts: { version: '29.1.0', apiVersion: '1.52', runc: '1.3.4' },
      logged: [],
      health: { status: 'ok', warnings: [] },
    },
  ])('T17: $which', async ({ facts, logged, health }) => {
    await startDaemon(facts);
    const worker = startWorker(database.url.reveal());
    try {
      const answer = await waitUntil(
        'the worker to report',
        async () => {
          worker.expectNoCrash();
          const found = await supertest(api.app).get('/health');
          return found.body.workers === 1 && found;
        },
        { timeoutMs: START_MS, explain: () => worker.tail },
      );
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ ...health, version: '0.0.0', database: 'up', workers: 1 });
      for (const line of logged) expect(worker.tail.split(line)).toHaveLength(2);
      expect(worker.tail.split('"warning":')).toHaveLength(1 + logged.length);
      expect(await exitCodeOfHealthCheck(server.port)).toBe(0);
      await worker.stop();
    } finally {
      await worker.kill9();
    }
  });

  /** Of Docker's health check in compose. */
  async function exitCodeOfHealthCheck(port: number): Promise<number | null> {
    const check = new ProductProcess({
      name: 'health check',
      command: process.execPath,
      args: ['--import', 'tsx', 'cmd/health/main.ts', 'api'],
      environment: { PATH: process.env['PATH'] ?? '', PORT: String(port) },
      cwd: CHECKOUT,
      logFile: join(folder, 'health.log'),
    });
    await waitUntil('the check to end', () => !check.isRunning, {
      timeoutMs: START_MS,
      explain: () => check.tail,
    });
    return check.exitCode;
  }
});

test('F16: a worker that starts before Docker waits for it', async () => {
  const worker = startWorker();
  await waitUntil('it to say so', () => worker.tail.includes('waiting for it'), {
    timeoutMs: START_MS,
    explain: () => worker.tail,
  });
  await startDaemon({ version: '19.03.15', apiVersion: '1.40' });
  await waitUntil('it to have asked', () => worker.tail.includes('is too old'), {
    timeoutMs: START_MS,
    explain: () => worker.tail,
  });
  await waitUntil('the worker to end', () => !worker.isRunning, { timeoutMs: START_MS });
});
