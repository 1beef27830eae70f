import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { FAULT_POINTS, type FaultPoint } from '../../internal/engine/fault-points.ts';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { foldersIn, gitProcessesIn } from '../support/left-on-disk.ts';
import { type Load, startLoad } from '../support/load-client.ts';
import { describeLost, judgeLoad } from '../support/load-report.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(240_000);

/** Which fault of docs/faults.md a kill at this point is. */
const FAULT_OF: Readonly<Record<FaultPoint, string>> = {
  claimed: 'F01',
  cloning: 'F02',
  building: 'F03',
  'image-made': 'F04',
  built: 'F04',
  releasing: 'F05',
  'releasing-started': 'F05',
  starting: 'F05',
  reserved: 'F05',
  started: 'F05',
  gating: 'F06',
  switching: 'F07',
  routed: 'F07',
  live: 'F07',
  draining: 'F07',
  retired: 'F08',
};

let platform: Platform;
let busybox: string;
let repository: TestRepository;
let app: AppView;
let load: Load;
const releases = ['v0'];

beforeAll(async () => {
  busybox = await ensureBusyboxImage();
  platform = await startPlatform({ settings: { LEASE_SECONDS: '3' } });
  repository = await platform.createRepository('shop', staticBinaryApp(busybox, 'v0'));
  ({ app } = await platform.createLiveApp({
    name: 'shop',
    repo_url: repository.url,
    health_check_path: '/health',
    drain_seconds: 2,
    release_command: '/busybox true',
  }));
  const { httpPort: port } = platform;
  load = await startLoad({ port, host: 'shop.localhost', path: '/', ratePerSecond: 20, maxSeconds: 900 });
});
afterAll(() => platform?.close());

test.each(FAULT_POINTS.map((point) => [FAULT_OF[point], point] as const))(
  '%s: killed at "%s", a deployment is taken over and goes live, and nothing is left of the first attempt',
  async (_fault, point) => {
    await platform.worker.stop();
    platform.worker.start({ FAULT_AT: point });
    const release = `v${releases.length}`;
    releases.push(release);
    await repository.commit(staticBinaryApp(busybox, release));
    const { id } = await platform.api.deploy(app.id);
    await waitUntil(`the worker to die at ${point}`, () => !platform.worker.isRunning(), {
      timeoutMs: 60_000,
      explain: () => platform.explain(id),
    });

    platform.worker.start();
    await platform.waitForStatus(id, 'live');
    await load.waitForRelease(release);
    await platform.waitForEndOfDrain(id);
    await expectOnly(id);
    const attempts = await platform.prisma.deploymentAttempt.findMany({
      where: { deploymentId: id },
      orderBy: { attempt: 'asc' },
    });
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['worker_lost', 'live']);
  },
);

test('A1 I3: not one request was lost in all of it, and no answer was of another release', async () => {
  const verdict = judgeLoad(await load.stop(), releases);
  expect(describeLost(verdict)).toBe('');
});

/** One running container, its folders, and no address or process more. */
async function expectOnly(deploymentId: string): Promise<void> {
  const seen = async () => ({
    containers: (await platform.containers({ appId: app.id })).map((found) => found.deploymentId),
    clones: foldersIn(join(platform.dataDir, 'work')),
    gates: foldersIn(join(platform.dataDir, 'gate')).length,
    git: gitProcessesIn(platform.dataDir),
    addresses: await platform.prisma.containerAddress.count({ where: { releasedAt: null } }),
  });
  const wanted = { containers: [deploymentId], clones: [], gates: 1, git: [], addresses: 1 };
  await waitUntil('leftovers to go', async () => JSON.stringify(await seen()) === JSON.stringify(wanted), {
    timeoutMs: 60_000,
  }).catch(() => undefined);
  expect(await seen()).toEqual(wanted);
}
