import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import Docker from 'dockerode';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { type RepositoryFiles, staticBinaryApp } from '../support/fixture-apps.ts';
import { foldersIn, gitProcessesIn } from '../support/left-on-disk.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(600_000);

const CANCELS = 50;
/** A whole deployment of the app takes about so long. */
const LONGEST_DELAY_MS = 3_000;

let platform: Platform;
let busybox: string;
beforeAll(async () => {
  busybox = await ensureBusyboxImage();
  platform = await startPlatform({ settings: { WORKER_CONCURRENCY: '2' } });
});
afterAll(() => platform?.close());

/** With a step that takes its time and is known by its words, as the daemon is shared with others. */
function slowApp(release: string, seconds: number): RepositoryFiles {
  const files = staticBinaryApp(busybox, release);
  const step = `FROM ${busybox} AS slow\nRUN : ${platform.instance} ${release}; sleep ${seconds}; echo > /made\n`;
  const dockerfile = (files['Dockerfile'] ?? '').replace(
    'COPY www',
    'COPY --from=slow /made /made\nCOPY www',
  );
  return { ...files, Dockerfile: `${step}${dockerfile}` };
}

async function liveApp(name: string): Promise<{ app: AppView; repository: TestRepository }> {
  const repository = await platform.createRepository(name, staticBinaryApp(busybox, `${name}-0`));
  const settings = { name, repo_url: repository.url, health_check_path: '/health', drain_seconds: 1 };
  return { app: (await platform.createLiveApp(settings)).app, repository };
}

test('A5, F44: fifty cancels at random moments end what they mean, at once, and touch nothing else', async () => {
  const { app, repository } = await liveApp('cancelled');
  const neighbour = await liveApp('neighbour');
  const cancelling = new AbortController();
  const neighbourDeploys = deployUntil(neighbour, cancelling.signal);

  const slow: string[] = [];
  const outcomes: string[] = [];
  try {
    for (let count = 1; count <= CANCELS; count += 1) {
      await repository.commit(slowApp(`cancelled-${count}`, 1));
      const { id } = await platform.api.deploy(app.id);
      // Spread evenly over the whole life of a deployment, so that every phase is met several times.
      await delay((count / CANCELS) * LONGEST_DELAY_MS);
      const askedAt = performance.now();
      const answer = await platform.api.send('POST', `/deployments/${id}/cancel`);
      const ended = await waitUntil(`deployment ${id} to end`, async () => {
        const { status } = await platform.api.deployment(id);
        return ['cancelled', 'live', 'failed', 'retired', 'crashed'].includes(status) ? status : null;
      });
      const took = Math.round(performance.now() - askedAt);
      outcomes.push(ended);
      // Past its switch a deployment cannot be cancelled, and says so.
      expect([answer.status, ended]).toEqual(answer.status === 409 ? [409, 'live'] : [202, 'cancelled']);
      if (ended === 'cancelled' && took > 5_000) slow.push(`${id}: ${took} ms`);
      if (ended === 'live') await platform.waitForEndOfDrain(id);
    }
  } finally {
    cancelling.abort();
  }
  expect(slow).toEqual([]);
  expect(outcomes.filter((status) => status === 'cancelled').length).toBeGreaterThan(CANCELS / 2);
  // Each of them is waited for until it is live: none was lost to a cancel of the other app.
  expect(await neighbourDeploys).toBeGreaterThan(2);

  await waitUntil('nothing of the cancelled to be left', async () => (await leftOf(app)).length === 0, {
    timeoutMs: 60_000,
  }).catch(() => undefined);
  expect(await leftOf(app)).toEqual([]);
  expect((await platform.http('cancelled.localhost')).status).toBe(200);
});

/** One deployment of the neighbour after the other, each with a build. */
async function deployUntil(
  { app, repository }: { app: AppView; repository: TestRepository },
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    count += 1;
    await repository.commit(slowApp(`neighbour-${count}`, 2));
    await platform.deploy(app.id);
  }
  return count;
}

/** Build steps, containers, folders and processes that should be gone. */
async function leftOf(app: AppView): Promise<string[]> {
  const steps = await new Docker().listContainers();
  const { live_deployment_id: live } = await platform.api.app(app.id);
  const containers = await platform.containers({ appId: app.id });
  return [
    ...steps
      .filter(({ Command }) => Command.includes(`${platform.instance} cancelled`))
      .map(({ Command }) => Command),
    ...containers.filter(({ deploymentId }) => deploymentId !== live).map(({ name }) => name),
    ...foldersIn(join(platform.dataDir, 'work')),
    ...gitProcessesIn(platform.dataDir),
  ];
}
