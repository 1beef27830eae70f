import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openDatabase } from '../../internal/db/database.ts';
import { startEmbeddedPostgres } from '../../internal/db/embedded-postgres.ts';
import { enterInstallation } from '../../internal/db/key-canary.ts';
import { migrate } from '../../internal/db/migrate.ts';
import { openSnapshot } from '../../internal/deployments/config-snapshot.ts';
import { storeEnvironment } from '../../internal/envvars/env-var-store.ts';
import { loadOrMakeSecrets } from '../../internal/host/data-dir.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { SealedBox } from '../../internal/secrets/sealed-box.ts';
import { Secret } from '../../internal/secrets/secret.ts';
import { ProductProcess } from '../../test/support/child-process.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { httpRequest } from '../../test/support/http-request.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { waitUntil } from '../../test/support/wait-until.ts';

jest.setTimeout(300_000);

const CHECKOUT = resolve(import.meta.dirname, '../..');
type Settings = Readonly<Record<string, string>>;

let database: TestDatabase;
let dataDir: string;
let processes: ProductProcess[];
beforeEach(async () => {
  database = await createTestDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'berth-rotate-'));
  processes = [];
});
afterEach(async () => {
  for (const one of processes) await one.kill9();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function start(program: readonly string[], settings: Settings): ProductProcess {
  const started = new ProductProcess({
    name: program.join(' '),
    command: process.execPath,
    args: ['--import', 'tsx', ...program],
    environment: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, ...settings },
    cwd: CHECKOUT,
    logFile: join(dataDir, 'output.log'),
  });
  processes.push(started);
  return started;
}

/** As the image does it, to its end. */
async function rotate(settings: Settings): Promise<ProductProcess> {
  const command = start(['cmd/start/main.ts', 'rotate-key'], settings);
  await waitUntil('rotate-key ends', () => !command.isRunning, {
    timeoutMs: 60_000,
    explain: () => command.tail,
  });
  return command;
}

function keySettings(key: Secret, before: readonly Secret[] = []): Settings {
  return {
    DATABASE_URL: database.url.reveal(),
    ENCRYPTION_KEY: key.reveal(),
    OLD_ENCRYPTION_KEYS: before.map((old) => old.reveal()).join(','),
  };
}

describe('T71: rotate-key', () => {
  test('with traffic on: nothing fails meanwhile, and all is readable with the new key alone', async () => {
    const { prisma } = database.database;
    const [before, present] = [newKey(), newKey()];
    const [port = 0, fallbackPort = 0] = await freePorts(2);
    const more = {
      PORT: String(port),
      FALLBACK_PORT: String(fallbackPort),
      SESSION_SECRET: newKey().reveal(),
    };
    const serve = async (settings: Settings) => {
      const api = start(['cmd/api/main.ts'], {
        ...settings,
        ...more,
        RATE_LIMIT_REQUESTS: '100000',
        RATE_LIMIT_DEPLOYS: '100000',
      });
      const isUp = () =>
        httpRequest({ port, path: '/health' }).then(
          ({ status }) => status === 200,
          () => false,
        );
      // From the sources it takes long to start where much else runs.
      await waitUntil('the API answers', isUp, { timeoutMs: 120_000, explain: () => api.tail });
      return api;
    };
    const ask = async (method: string, path: string, body?: object) => {
      const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return httpRequest({
        port,
        path: `/api/v1${path}`,
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
    };

    let api = await serve(keySettings(before));
    const ids: string[] = [];
    for (let app = 0; app < 4; app += 1) {
      const env = Object.fromEntries(
        Array.from({ length: 200 }, (_, index) => [`K${index}`, `value ${app}.${index}`]),
      );
      const made = await ask('POST', '/apps', { name: `app-${app}`, repo_url: 'acme/shop', env });
      ids.push((JSON.parse(made.body) as { id: string }).id);
      for (let count = 0; count < 30; count += 1) await ask('POST', `/apps/${ids[app]}/deploy`, {});
    }
    const [quiet = '', busy = ''] = ids;
    const exported = (await ask('GET', `/apps/${quiet}/env/export`)).body;
    await api.stop();
    api = await serve(keySettings(present, [before]));

    let round = 0;
    let isOver = false;
    const statuses = new Set<number>();
    const traffic = (async () => {
      while (!isOver) {
        round += 1;
        const answers = await Promise.all([
          ask('PATCH', `/apps/${busy}/env/K${round % 199}`, { value: `round ${round}` }),
          ask('PUT', `/apps/${busy}/env?merge=true`, { variables: { K199: `${round}` } }),
          ask('GET', `/apps/${quiet}/env/export`),
          ask('POST', `/apps/${busy}/deploy`, {}),
        ]);
        for (const { status } of answers) statuses.add(status);
      }
    })();
    const command = await rotate(keySettings(present, [before]));
    isOver = true;
    await traffic;
    expect(command.tail).toMatch(/^env_vars\.value: [678]\d\d sealed anew$/m);
    expect(command.tail).toMatch(/^deployments\.config_snapshot: 1\d\d sealed anew$/m);
    expect(command.tail).toMatch(/^instance\.key_canary: 1 sealed anew$/m);
    expect(command.tail).toContain('All is sealed with ENCRYPTION_KEY.');
    expect(command.exitCode).toBe(0);
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([200, 202]);
    expect(round).toBeGreaterThan(3);
    await api.stop();

    api = await serve(keySettings(present));
    expect((await ask('GET', `/apps/${quiet}/env/export`)).body).toBe(exported);
    expect((await ask('GET', `/apps/${busy}/env/export`)).body).toContain(`K199=${round}\n`);
    const box = new SealedBox(present);
    const rows = await prisma.deployment.findMany({ select: { id: true, configSnapshot: true } });
    const sizes = rows.map((row) => openSnapshot(box, row.id, row.configSnapshot).environment.length);
    expect(sizes.length).toBeGreaterThan(120);
    expect(Math.min(...sizes)).toBe(200);
    await api.stop();
  });

  test('killed midway goes on where it was, and run once more does nothing', async () => {
    const { prisma } = database.database;
    const [before, present] = [newKey(), newKey()];
    await enterInstallation(prisma, new SealedBox(before));
    for (let count = 0; count < 10; count += 1) {
      const { id } = await seedApp(prisma);
      const variables = Array.from({ length: 200 }, (_, index) => ({ key: `K${index}`, value: `${index}` }));
      await storeEnvironment(prisma, new SealedBox(before), id, variables);
    }
    const settings = keySettings(present, [before]);
    const killed = start(['cmd/start/main.ts', 'rotate-key'], settings);
    await waitUntil('some are done', () => killed.tail.includes('env_vars.value: 300'), {
      timeoutMs: 60_000,
      intervalMs: 1,
      explain: () => killed.tail,
    });
    await killed.kill9();

    const rest = await rotate(settings);
    const [, done = ''] = /^env_vars\.value: (\d+) sealed anew$/m.exec(rest.tail) ?? [];
    expect(rest.exitCode).toBe(0);
    expect(Number(done)).toBeLessThanOrEqual(1_700);
    expect(Number(done)).toBeGreaterThan(0);
    const again = await rotate(settings);
    expect(again.exitCode).toBe(0);
    expect(again.tail).toMatch(/^env_vars\.value: 0 sealed anew$/m);
  });

  test('tells what no key opens, and ends with 1', async () => {
    const { prisma } = database.database;
    const [before, present] = [newKey(), newKey()];
    await enterInstallation(prisma, new SealedBox(before));
    const { id } = await seedApp(prisma);
    await storeEnvironment(prisma, new SealedBox(newKey()), id, [{ key: 'A', value: '1' }]);
    const { id: row } = await prisma.envVar.findFirstOrThrow();
    const command = await rotate(keySettings(present, [before]));
    expect(command.tail).toContain(`no key opens 1: ${row}`);
    expect(command.exitCode).toBe(1);
  });

  test('with keys of another database is refused in one sentence', async () => {
    await enterInstallation(database.database.prisma, new SealedBox(newKey()));
    const command = await rotate(keySettings(newKey(), [newKey()]));
    expect(command.exitCode).toBe(78);
    expect(command.tail).toMatch(/^ENCRYPTION_KEY is not the key of this database/m);
    expect(command.tail).not.toMatch(/at .*\.ts/);
  });
});

describe('T71: rotate-key beside bin/up', () => {
  test('takes keys and database from DATA_DIR', async () => {
    const { ENCRYPTION_KEY } = loadOrMakeSecrets(dataDir);
    const before = newKey();
    appendFileSync(join(dataDir, 'secrets.env'), `OLD_ENCRYPTION_KEYS=${before.reveal()}\n`);
    const postgres = await startEmbeddedPostgres({ dataDir, throwAway: true });
    try {
      const own = openDatabase(postgres.url, createLogger({ level: 'silent', process: 'up' }));
      await migrate(own.pool);
      await enterInstallation(own.prisma, new SealedBox(before));
      const command = await rotate({});
      expect(command.tail).toMatch(/^instance\.key_canary: 1 sealed anew$/m);
      expect(command.exitCode).toBe(0);
      await enterInstallation(own.prisma, new SealedBox(new Secret(ENCRYPTION_KEY)));
      await own.close();
    } finally {
      await postgres.stop();
    }
  });

  test('says so when Berth does not run there', async () => {
    const command = await rotate({});
    expect(command.exitCode).toBe(78);
    expect(command.tail).toContain(`Berth does not run in ${dataDir}: bin/up first, or set DATABASE_URL.`);
  });
});
