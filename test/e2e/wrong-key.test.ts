import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ensureNodeImage } from '../support/base-image.ts';
import { ProductProcess } from '../support/child-process.ts';
import { nodeApp } from '../support/fixture-apps.ts';
import { startLoad } from '../support/load-client.ts';
import { describeLost, judgeLoad } from '../support/load-report.ts';
import { newKey } from '../support/new-key.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { dumpDatabase } from '../support/secret-search.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(420_000);

const CHECKOUT = resolve(import.meta.dirname, '../..');
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.close());

/** Started with another key, until it has ended. */
async function startWithOtherKey(name: 'api' | 'worker'): Promise<ProductProcess> {
  const started = new ProductProcess({
    name,
    command: process.execPath,
    args: ['--import', 'tsx', `cmd/${name}/main.ts`],
    environment: { ...platform.settings, ENCRYPTION_KEY: newKey().reveal() },
    cwd: CHECKOUT,
    logFile: join(platform.dataDir, `${name}-other-key.log`),
  });
  // From the sources it takes long to start where much else runs.
  await waitUntil(`the ${name} ends`, () => !started.isRunning, {
    timeoutMs: 120_000,
    explain: () => started.tail,
  });
  return started;
}

test('F50: with the key of another installation API and worker do not start, and the app serves on', async () => {
  const repository = await platform.createRepository(
    'safe',
    nodeApp(await ensureNodeImage(), { release: 'v1' }),
  );
  const { app } = await platform.createLiveApp({
    name: 'safe',
    repo_url: repository.url,
    port: 3000,
    health_check_path: '/health',
    env: { TOKEN: 'of this installation' },
  });
  const [before] = await platform.containers({ appId: app.id });
  await platform.worker.stop();
  await platform.apiServer.kill9();
  const rows = await dumpDatabase(platform.prisma);
  const load = await startLoad({
    port: platform.httpPort,
    host: 'safe.localhost',
    path: '/',
    ratePerSecond: 20,
    maxSeconds: 300,
  });
  for (const name of ['api', 'worker'] as const) {
    const started = await startWithOtherKey(name);
    expect([name, started.exitCode]).toEqual([name, 78]);
    const told = started.tail.split('\n').filter((line) => /key/i.test(line));
    expect(told).toEqual([
      expect.stringMatching(/^ENCRYPTION_KEY is not the key of this database: .* live apps go on\.$/),
    ]);
  }
  expect(describeLost(judgeLoad(await load.stop(), ['v1']))).toBe('');
  const [after] = await platform.containers({ appId: app.id });
  expect(after?.startedAt).toBe(before?.startedAt);
  expect(await dumpDatabase(platform.prisma)).toEqual(rows);

  platform.worker.start();
  await platform.apiServer.start();
  await platform.deploy(app.id);
});
