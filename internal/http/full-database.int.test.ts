import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { fakeWorld } from '../../test/support/fake-tools.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../../test/support/private-postgres.ts';
import { SmallDisk } from '../../test/support/small-disk.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { systemClock } from '../clock/clock.ts';
import { claimNext } from '../deployments/deployment-queue.ts';
import { runDeployment } from '../engine/run-deployment.ts';
import { Bell, runWorkerLoop } from '../engine/worker-loop.ts';
import { createLogger } from '../logger/logger.ts';

// Without root, or in a container that may not mount, there is no disk to fill.
const where = SmallDisk.isPossible ? describe : describe.skip;
where('F23: the disk of Postgres is full', () => {
  let disk: SmallDisk;
  let postgres: PrivatePostgres;
  let api: ApiUnderTest;
  const stop = new AbortController();
  let working: Promise<void> | null = null;
  let hasLooked = false;

  beforeAll(async () => {
    disk = SmallDisk.mount({ megabytes: 200 });
    postgres = await startPrivatePostgres(disk.path);
    api = await startApi({ database: postgres });
  }, 120_000);
  afterAll(async () => {
    stop.abort();
    await working;
    await api?.close();
    await postgres?.close();
    disk?.unmount();
  });

  /** As a worker does, only that Docker and Git are none of the machine's. */
  function work(): Promise<void> {
    const worker = { id: 'worker-a', leaseSeconds: 5 };
    const { tools } = fakeWorld(api.prisma);
    const interrupts = { shutdown: stop.signal, onCancelHint: () => () => undefined };
    return runWorkerLoop({
      concurrency: 1,
      pollIntervalMs: 100,
      bell: new Bell(),
      clock: systemClock,
      logger: createLogger({ level: 'silent', process: 'worker' }),
      signal: stop.signal,
      async take() {
        hasLooked = true;
        const claim = await claimNext(api.prisma, worker);
        return claim && { done: runDeployment(claim, tools, { worker, box: api.needs.box, interrupts }) };
      },
    });
  }

  const newApp = (name: string) =>
    api.call('post', '/apps').send({ name, repo_url: 'https://github.com/example/web.git' });

  test('what cannot be written answers 503, nobody ends, and all goes on when there is room', async () => {
    const { body: app } = await newApp('web').expect(201);
    disk.fill();

    // Some room is left in its files; what is written until that is used up is kept.
    const written: string[] = [];
    const refused = await waitUntil('a write to be refused', async () => {
      const [key, value] = [`KEY_${written.length}`, randomBytes(24_000).toString('base64')];
      const answer = await api.call('post', `/apps/${app.id}/env`).send({ key, value });
      if (answer.status < 300) written.push(key);
      return answer.status >= 300 && answer;
    });
    expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    for (const path of ['/health', '/apps', `/apps/${app.id}`]) {
      expect([200, 503]).toContain((await api.call('get', path)).status);
    }

    working = work();
    await waitUntil('the worker to look for work', () => hasLooked);
    const isWorking = await Promise.race([working.then(() => false), Promise.resolve(true)]);
    expect(isWorking).toBe(true);

    disk.free();
    // It gives up where not even its journal has room; who runs it starts it again.
    await postgres.start();
    // 409: it was made, and only the answer was lost.
    await waitUntil('writes to work again', async () => [201, 409].includes((await newApp('later')).status));
    const [deployments, names] = [
      () => api.prisma.deployment.findMany({ include: { app: true } }),
      async () => (await deployments()).filter(({ status }) => status === 'live').map((row) => row.app.name),
    ];
    await waitUntil('both apps to be live', async () => (await names()).length === 2, {
      timeoutMs: 100_000,
      explain: async () => JSON.stringify(await deployments(), ['status', 'failureCode', 'attempt']),
    });
    const { items } = (await api.call('get', `/apps/${app.id}/env`)).body;
    expect(items.map(({ key }: { key: string }) => key)).toEqual(expect.arrayContaining(written));
  }, 240_000);
});
