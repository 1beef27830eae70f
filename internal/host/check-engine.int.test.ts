import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ProductProcess } from '../../test/support/child-process.ts';
import { createTestDatabase } from '../../test/support/database.ts';
import { waitUntil } from '../../test/support/wait-until.ts';

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

/** A daemon that knows nothing but its version. */
async function startDaemon(version: string, apiVersion: string, liveRestore = true): Promise<void> {
  daemon = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answers: Record<string, unknown> = {
      '/version': {
        Version: version,
        ApiVersion: apiVersion,
        Components: [{ Name: 'runc', Version: '1.1.4' }],
      },
      '/info': { ServerVersion: version, LiveRestoreEnabled: liveRestore },
    };
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
  await startDaemon('19.03.15', '1.40');
  const worker = startWorker();
  await waitUntil('the worker to end', () => !worker.isRunning, { explain: () => worker.tail });
  expect(worker.tail).toContain('Docker Engine 19.03.15 (API 1.40) is too old: install 20.10 or newer.');
  expect(worker.tail).not.toContain(' at ');
});

test('A22, T17: a newer engine, one without live-restore, and an old runc are worked with and said once', async () => {
  await startDaemon('31.0.0', '1.70', false);
  const database = await createTestDatabase();
  const worker = startWorker(database.url.reveal());
  try {
    await waitUntil('the worker to start', () => worker.tail.includes('worker started'), {
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

test('F16: a worker that starts before Docker waits for it', async () => {
  const worker = startWorker();
  await waitUntil('it to say so', () => worker.tail.includes('waiting for it'), {
    explain: () => worker.tail,
  });
  await startDaemon('19.03.15', '1.40');
  await waitUntil('it to have asked', () => worker.tail.includes('is too old'), {
    explain: () => worker.tail,
  });
  await waitUntil('the worker to end', () => !worker.isRunning);
});
