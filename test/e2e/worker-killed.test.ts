import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { nodeApp, nodeAppWith, type RepositoryFiles } from '../support/fixture-apps.ts';
import { foldersIn, gitProcessesIn } from '../support/left-on-disk.ts';
import { type Load, startLoad } from '../support/load-client.ts';
import { describeLost, judgeLoad } from '../support/load-report.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(240_000);

/** Short here, so that the suite is; the default is 30 s, and nothing else depends on its length. */
const LEASE_SECONDS = 4;
/**
 * What a takeover may take beyond the lease: a poll, a start of the process, a slow machine. Both together are less than
 * the default lease, so that a takeover in time shows that it was by this one.
 */
const SLACK_MS = 20_000;

describe('a worker that is lost', () => {
  let platform: Platform;
  let nodeImage: string;
  let repository: TestRepository;
  let app: AppView;
  let load: Load;
  let count = 1;
  const releases = ['v1'];

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform({ settings: { LEASE_SECONDS: String(LEASE_SECONDS) } });
    repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v1' }));
    ({ app } = await platform.createLiveApp({
      name: 'shop',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
    }));
  });
  afterAll(() => platform?.close());

  beforeEach(async () => {
    load = await startLoad({
      port: platform.httpPort,
      host: 'shop.localhost',
      path: '/',
      ratePerSecond: 50,
      maxSeconds: 230,
    });
  });

  /** Commits another version and asks for its deployment. */
  async function deployNext(
    files: (release: string) => RepositoryFiles,
  ): Promise<{ id: string; release: string }> {
    const release = `v${++count}`;
    releases.push(release);
    await repository.commit(files(release));
    const { id } = await platform.api.deploy(app.id);
    return { id, release };
  }

  async function killNow(): Promise<number> {
    await platform.worker.kill9();
    return Date.now();
  }

  /** A new worker takes it over within the lease, it goes live, and only what it needs is left. */
  async function expectTakeover(
    deployment: { id: string; release: string },
    killedAt: number,
  ): Promise<void> {
    platform.worker.start();
    await expectTakenOver(deployment, killedAt);
    const first = await platform.prisma.deploymentAttempt.findFirstOrThrow({
      where: { deploymentId: deployment.id, attempt: 1 },
    });
    expect(first.outcome).toBe('worker_lost');
  }

  async function expectTakenOver(deployment: { id: string; release: string }, lostAt: number): Promise<void> {
    const second = await waitUntil(
      'the second attempt',
      () =>
        platform.prisma.deploymentAttempt.findUnique({
          where: { deploymentId_attempt: { deploymentId: deployment.id, attempt: 2 } },
        }),
      { timeoutMs: LEASE_SECONDS * 1000 + 2 * SLACK_MS, explain: () => platform.explain(deployment.id) },
    );
    expect(second.startedAt.getTime() - lostAt).toBeLessThan(LEASE_SECONDS * 1000 + SLACK_MS);

    await platform.waitForStatus(deployment.id, 'live');
    await load.waitForRelease(deployment.release);
    await platform.waitForEndOfDrain(deployment.id);
    const verdict = judgeLoad(await load.stop(), releases);
    expect(describeLost(verdict)).toBe('');

    await expectNothingOrphaned(deployment.id);
  }

  async function expectNothingOrphaned(liveId: string): Promise<void> {
    await waitUntil('leftovers of dead attempts to go', async () => {
      const containers = await platform.containers({ appId: app.id });
      return (
        containers.length === 1 &&
        foldersIn(join(platform.dataDir, 'work')).length === 0 &&
        foldersIn(join(platform.dataDir, 'gate')).length === 1
      );
    }).catch(() => undefined);
    expect(foldersIn(join(platform.dataDir, 'work'))).toEqual([]);
    expect(foldersIn(join(platform.dataDir, 'gate')).map((name) => name.slice(0, liveId.length))).toEqual([
      liveId,
    ]);
    expect(gitProcessesIn(platform.dataDir)).toEqual([]);
    const [container, ...others] = await platform.containers({ appId: app.id });
    expect(others).toEqual([]);
    expect(container).toMatchObject({ deploymentId: liveId, running: true, restartPolicy: 'always' });
  }

  /** The container that serves is the one that served: same id, same start. */
  async function liveContainer(): Promise<{ id: string | undefined; startedAt: string | undefined }> {
    const { live_deployment_id } = await platform.api.app(app.id);
    const [container] = await platform.containers({ deploymentId: live_deployment_id ?? '' });
    return { id: container?.id, startedAt: container?.startedAt };
  }

  test('F02: killed during the clone is replaced within the lease, and no git is left', async () => {
    const before = await liveContainer();
    platform.git.proxy.stall();
    const deployment = await deployNext((release) => nodeApp(nodeImage, { release }));
    await waitUntil(
      'git to hang',
      () => platform.git.proxy.stalled() > 0 && gitProcessesIn(platform.dataDir).length > 0,
    );
    const killedAt = await killNow();
    platform.git.proxy.resume();
    expect(await liveContainer()).toEqual(before);
    await expectTakeover(deployment, killedAt);
  });

  test('F03: killed during the build is replaced within the lease, and no build step is left', async () => {
    const before = await liveContainer();
    // The daemon is shared: a step of this build is known by its words.
    const step = `: ${platform.instance}; sleep 4`;
    const deployment = await deployNext((release) => nodeAppWith(nodeImage, { release }, [`RUN ${step}`]));
    await platform.waitForStep(deployment.id, 'building');
    await waitUntil('the build step to run', async () => {
      const lines = await platform.api.logLines(deployment.id);
      return lines.some(({ text }) => text.includes(step));
    });
    const killedAt = await killNow();
    expect(await liveContainer()).toEqual(before);
    await expectTakeover(deployment, killedAt);
    const containers = await platform.docker.docker.listContainers({ all: true });
    expect(containers.filter(({ Command }) => Command.includes(step))).toEqual([]);
  });

  test('F06: killed during the gate is replaced within the lease, the old release serving', async () => {
    const before = await liveContainer();
    const deployment = await deployNext((release) => nodeApp(nodeImage, { release, listenAfterMs: 2_500 }));
    await platform.waitForStep(deployment.id, 'gating');
    const killedAt = await killNow();
    expect(await liveContainer()).toEqual(before);
    await expectTakeover(deployment, killedAt);
  });

  test('F07: killed during the drain: the new release stays, the old one is retired by the next worker', async () => {
    const { live_deployment_id: previousId } = await platform.api.app(app.id);
    const [previous] = await platform.containers({ deploymentId: previousId ?? '' });
    // An open request holds the drain.
    const held = platform.http('shop.localhost', '/slow?ms=6000', 'POST');
    const deployment = await deployNext((release) => nodeApp(nodeImage, { release }));
    await platform.waitForStep(deployment.id, 'draining');
    const killedAt = await killNow();
    expect((await platform.api.deployment(deployment.id)).status).toBe('live');
    const [old] = await platform.containers({ deploymentId: previousId ?? '' });
    expect(old).toMatchObject({ id: previous?.id, running: true });
    expect((await held).status).toBe(200);
    await expectTakeover(deployment, killedAt);
    expect(await platform.containers({ deploymentId: previousId ?? '' })).toEqual([]);
  });

  test('F37: asleep from the gate until long after its lease changes nothing when it wakes', async () => {
    const before = await liveContainer();
    const deployment = await deployNext((release) => nodeApp(nodeImage, { release, listenAfterMs: 2_500 }));
    await platform.waitForStep(deployment.id, 'gating');
    const sleeper = platform.worker.pid();
    process.kill(sleeper, 'SIGSTOP');
    const asleepAt = Date.now();
    expect(await liveContainer()).toEqual(before);
    const second = platform.addWorker();
    try {
      await expectTakenOver(deployment, asleepAt);
    } finally {
      process.kill(sleeper, 'SIGCONT');
    }
    const live = await liveContainer();
    await waitUntil('the first worker to see that it is late', () =>
      platform.workerHasSaid('lease lost, leaving the deployment to its new worker'),
    );
    await expectNothingOrphaned(deployment.id);
    expect(await liveContainer()).toEqual(live);
    expect(await platform.api.deployment(deployment.id)).toMatchObject({ status: 'live' });
    await second.stop();
  });

  test('F01: killed three times in a row ends the deployment with a reason, the old release untouched', async () => {
    const before = await liveContainer();
    const deployment = await deployNext((release) => nodeApp(nodeImage, { release, listenAfterMs: 60_000 }));
    for (let attempt = 1; attempt <= 3; attempt++) {
      await waitUntil(
        `attempt ${attempt} at the gate`,
        async () => {
          const row = await platform.prisma.deployment.findUniqueOrThrow({ where: { id: deployment.id } });
          return row.attempt === attempt && row.step === 'gating';
        },
        { explain: () => platform.explain(deployment.id) },
      );
      await killNow();
      platform.worker.start();
    }
    const failed = await platform.waitForStatus(deployment.id, 'failed');
    expect(failed.failure_code).toBe('worker_lost');
    expect(await liveContainer()).toEqual(before);
    expect(describeLost(judgeLoad(await load.stop(), releases))).toBe('');
    await expectNothingOrphaned((await platform.api.app(app.id)).live_deployment_id ?? '');
  });
});
