import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { Clock } from '../clock/clock.ts';
import type { App } from '../db/database.ts';
import { restartApp } from '../deployments/bring-back.ts';
import { cancelDeployment } from '../deployments/cancel-deployment.ts';
import { claimNext } from '../deployments/deployment-queue.ts';
import { type DeploymentRequest, requestDeployment } from '../deployments/request-deployment.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { forgetImage, takeImageOf } from './image-marks-store.ts';
import type { ImageRegistry } from './ports.ts';

const box = new SealedBox(newKey());
const COMMIT = '7'.repeat(40);
const worker = new TestWorker(box);
let database: TestDatabase;
let world: FakeWorld;
let app: App;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  world = fakeWorld(prisma());
  app = await seedApp(prisma(), { healthCheckPath: '/health' });
});

const prisma = () => database.database.prisma;
const rowOf = (id: string) => prisma().deployment.findUniqueOrThrow({ where: { id } });
const request = () => requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box);

const work = (shutdown?: AbortSignal) => worker.work(world.tools, shutdown);
const deployed = () => worker.deploy(world, app.id);

/**
 * As if the worker had been killed at this point: it goes no further, writes no more rows, and its lease is over. What
 * it had sent to the database by then still arrives there, also the renewal of its lease; so the lease ends after that.
 */
async function killedAt(point: string): Promise<void> {
  const { prisma: rows } = world.tools;
  const forever = () => new Promise<never>(() => {});
  const sent = new Set<Promise<unknown>>();
  let isKilled = false;
  const mortalRows = new Proxy(rows, {
    get(target, name) {
      if (isKilled) return forever;
      const found: unknown = Reflect.get(target, name, target);
      if (typeof found !== 'function') return found;
      return (...args: unknown[]) => {
        const answer = Promise.resolve(Reflect.apply(found, target, args));
        sent.add(answer);
        return answer.finally(() => sent.delete(answer));
      };
    },
  });
  const claim = await worker.claim(rows);
  await new Promise<void>((reached) => {
    const checkpoint = async (name: string) => {
      if (name !== point) return;
      isKilled = true;
      reached();
      await forever();
    };
    const tools = { ...world.tools, prisma: mortalRows, checkpoint };
    void worker.run(claim, tools);
  });
  await Promise.allSettled(sent);
  await rows.$executeRaw`
    UPDATE deployments SET lease_expires_at = now() - interval '1 second' WHERE id = ${claim.deploymentId}`;
}

describe('a deployment', () => {
  test('is cloned, built, started, gated, opened and live, and its predecessor goes last', async () => {
    const first = await deployed();
    const second = await request();
    await work();
    expect(world.events).toEqual([
      'clone',
      'build',
      'start 1',
      'open 1',
      'routed 1',
      `remove 1.1 of ${first}`,
    ]);
    expect(await rowOf(second.id)).toMatchObject({
      status: 'live',
      step: null,
      leaseOwner: null,
      commitSha: 'b'.repeat(40),
      branch: 'main',
      imageId: 'sha256:one',
      port: 3000,
    });
    expect(await rowOf(first)).toMatchObject({ status: 'retired' });
    expect([...world.containers.values()].map((found) => found.state.restartPolicy)).toEqual(['always']);
  });

  test('tells its app as what it was built', async () => {
    await deployed();
    const { detectedFramework } = await prisma().app.findUniqueOrThrow({ where: { id: app.id } });
    expect(detectedFramework).toBe('dockerfile');
  });

  test('A2: that never becomes healthy is removed before anything is switched, with reason and last lines', async () => {
    const first = await deployed();
    world.healthy = false;
    const second = await request();
    await work();
    expect(world.events).toEqual(['clone', 'build', 'start 1', `remove 1.1 of ${second.id}`]);
    expect(await rowOf(second.id)).toMatchObject({
      status: 'failed',
      failureCode: 'health_check_failed',
      logTail: ['the last line'],
    });
    expect(await rowOf(first)).toMatchObject({ status: 'live' });
  });

  test('A2: that ends at start says with which exit code', async () => {
    const { id } = await request();
    world.at = (point) => {
      if (point !== 'gating') return;
      for (const found of world.containers.values())
        found.state = { ...found.state, status: 'exited', exitCode: 3 };
    };
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'failed', failureCode: 'exited_early', exitCode: 3 });
    expect(world.containers.size).toBe(0);
  });

  test('of two replicas opens both and is live only when the proxy lists both', async () => {
    await prisma().app.update({ where: { id: app.id }, data: { replicas: 2 } });
    const { id } = await request();
    await work();
    expect(world.events).toEqual([
      'clone',
      'build',
      'start 1',
      'start 2',
      'open 1',
      'open 2',
      'routed 1',
      'routed 2',
    ]);
    expect(await rowOf(id)).toMatchObject({ status: 'live' });
  });

  test('that the proxy never takes is closed, drained and removed, and tried again', async () => {
    const { id } = await request();
    const tools = world.tools;
    world = { ...world, tools: { ...tools, routes: { ...tools.routes, read: async () => null } } };
    await work();
    expect(world.events.filter((event) => event === 'nudge').length).toBeGreaterThan(0);
    expect(world.events.slice(-2)).toEqual(['close 1', `remove 1.1 of ${id}`]);
    expect(await rowOf(id)).toMatchObject({ status: 'pending', attempt: 1 });
  });

  test.each([
    ['only when its route is known to be gone', 6, ['close 1', 'no answer', 'no route'], 0],
    ['after 20 s when that never becomes known', Number.POSITIVE_INFINITY, ['close 1', 'no answer'], 19_000],
  ])(
    'that is undone while the proxy does not answer is ended %s',
    async (_, silences, expected, forAtLeastMs) => {
      const { id } = await request();
      const { clock, routes } = world.tools;
      const askedAt: number[] = [];
      const read: typeof routes.read = async () => {
        // Before, it answers that it has not taken the release.
        if (!world.events.includes('close 1')) return null;
        askedAt.push(clock.now());
        world.events.push(askedAt.length > silences ? 'no route' : 'no answer');
        if (askedAt.length > silences) return null;
        throw new Error('connect ECONNREFUSED');
      };
      world = { ...world, tools: { ...world.tools, routes: { ...routes, read } } };
      await work();
      const undoing = new Set(world.events.slice(world.events.indexOf('close 1')));
      expect([...undoing]).toEqual([...expected, `remove 1.1 of ${id}`]);
      const waitedMs = (askedAt.at(-1) ?? 0) - (askedAt[0] ?? 0);
      expect(waitedMs).toBeGreaterThanOrEqual(forAtLeastMs);
      expect(waitedMs).toBeLessThanOrEqual(20_000);
    },
  );

  test('F14: whose health check Docker has forgotten gets it anew, and goes live', async () => {
    const { id } = await request();
    world.checkStalled = true;
    await work();
    expect(world.events).toContain('check again');
    expect(await rowOf(id)).toMatchObject({ status: 'live' });
  });

  test('that dies while its predecessor drains gives the traffic back', async () => {
    const first = await deployed();
    const second = await request();
    world.at = (point) => {
      if (point !== 'draining') return;
      for (const found of world.containers.values()) {
        if (found.deploymentId === second.id) found.state = { ...found.state, status: 'exited', exitCode: 9 };
      }
    };
    await work();
    expect(await rowOf(second.id)).toMatchObject({ status: 'crashed', exitCode: 9 });
    expect(await rowOf(first)).toMatchObject({ status: 'live' });
    expect([...world.containers.values()].map((found) => found.deploymentId)).toEqual([first]);
  });

  test('cancelled while it clones ends cancelled, and nothing was built', async () => {
    const { id } = await request();
    // Like the real one: it ends when the signal says so, which the heartbeat brings about.
    world.checkout = async (signal) => {
      await cancelDeployment(prisma(), id);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'cancelled', leaseOwner: null });
    expect(world.events).toEqual(['clone']);
  });

  test('whose container cannot be started lets every reserved address rest', async () => {
    await prisma().app.update({ where: { id: app.id }, data: { replicas: 2 } });
    const { id } = await request();
    const { containers } = world.tools;
    const start: typeof containers.start = async (asked, signal) => {
      if (asked.replica === 2) throw new DeploymentFailed('image_start_failed', 'It cannot be run.');
      return containers.start(asked, signal);
    };
    world = { ...world, tools: { ...world.tools, containers: { ...containers, start } } };
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'failed', failureCode: 'image_start_failed' });
    const addresses = await prisma().containerAddress.findMany({ where: { deploymentId: id } });
    expect(addresses).toHaveLength(2);
    expect(addresses.filter((address) => address.releasedAt === null)).toEqual([]);
  });

  test('A9: is refused below the floor of free disk space, with the numbers, and nothing is cloned', async () => {
    world.disk = {
      path: '/var/lib/docker',
      freeBytes: 1_000 * 1024 * 1024,
      totalBytes: 20_000 * 1024 * 1024,
    };
    const { id } = await request();
    await work();
    expect(world.events).toEqual([]);
    const { failureReason, status } = await rowOf(id);
    expect({ status, failureReason }).toEqual({ status: 'pending', failureReason: null });
    const lines = await prisma().logLine.findMany({ where: { streamId: id, level: 'error' } });
    expect(lines[0]?.text).toContain('1000 MB of 20000 MB are free under /var/lib/docker');
  });

  test('A9: writes down what BuildKit keeps for the next one; of a build that fails meanwhile it is not known', async () => {
    const kept = () =>
      prisma().app.findUniqueOrThrow({
        where: { id: app.id },
        select: { buildKitCacheBytes: true, buildKitCacheUsedAt: true },
      });
    const build = world.tools.images.build.bind(world.tools.images);
    world.tools.images.build = async (request, options) => {
      await options.onCache?.(null);
      await options.onCache?.(42);
      return build(request, options);
    };
    await deployed();
    expect(await kept()).toEqual({ buildKitCacheBytes: 42n, buildKitCacheUsedAt: expect.any(Date) });

    world.tools.images.build = async (_request, options) => {
      await options.onCache?.(null);
      throw new DeploymentFailed('build_silent', 'It says nothing.');
    };
    await request();
    await work();
    expect(await kept()).toEqual({ buildKitCacheBytes: null, buildKitCacheUsedAt: expect.any(Date) });
  });

  test('F31: whose health comes and goes is live only after two good answers in a row', async () => {
    const answers = [true, false, true, false, true, true, false];
    let asked = 0;
    world.tools.probe.ask = async () => {
      const isGood = answers[asked] ?? false;
      asked += 1;
      return isGood ? { ok: true } : { ok: false, reason: 'status 500', connected: true };
    };
    const { id } = await request();
    await work();
    expect((await rowOf(id)).status).toBe('live');
    expect(asked).toBe(6);
  });

  test('F36: is not touched by a worker whose clock is wrong: leases go by that of the database', async () => {
    const { clock } = world.tools;
    const wrong: Clock = {
      now: () => clock.now() - 3_600_000,
      sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
    };
    const { id } = await request();
    const claim = await worker.claim(prisma());
    expect(await claimNext(prisma(), { ...worker.identity, id: 'worker-b' })).toBeNull();
    await worker.run(claim, { ...world.tools, clock: wrong });
    expect((await rowOf(id)).status).toBe('live');
  });

  test('fails for good after three failures of the platform', async () => {
    const { id } = await request();
    world.checkout = async () => {
      throw new DeploymentFailed('docker_unavailable', 'Docker does not answer.');
    };
    for (let attempt = 1; attempt <= 3; attempt++) {
      await work();
      await prisma().deployment.update({ where: { id }, data: { notBefore: null } });
    }
    expect(await rowOf(id)).toMatchObject({
      status: 'failed',
      failureCode: 'docker_unavailable',
      attempt: 3,
    });
  });

  test('F15: waits for Docker to answer before it is tried again, and says so', async () => {
    const { id } = await request();
    const { disk } = world.tools;
    let asked = 0;
    const read: typeof disk.read = async () => {
      asked += 1;
      if (asked <= 40) throw new DeploymentFailed('docker_unavailable', 'Docker does not answer.');
      return disk.read();
    };
    world = { ...world, tools: { ...world.tools, disk: { read } } };
    await work();
    expect(asked).toBe(41);
    const lines = await prisma().logLine.findMany({ where: { streamId: id, text: { contains: 'Waiting' } } });
    expect(lines).toHaveLength(1);
    await prisma().deployment.update({ where: { id }, data: { notBefore: null } });
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'live', attempt: 2 });
  });

  test('that met a fault of ours says so without its words', async () => {
    const { id } = await request();
    world.checkout = async () => {
      throw new TypeError('secret detail');
    };
    await work();
    const lines = await prisma().logLine.findMany({ where: { streamId: id } });
    expect(lines.map((line) => line.text).join('\n')).not.toContain('secret detail');
  });
});

const NEVER_LIVE = { liveAt: null, status: 'failed', failureCode: 'exited_early' } as const;

describe('a commit that was built before with the same settings', () => {
  const requestOf = (change: Partial<DeploymentRequest> = {}) =>
    requestDeployment(prisma(), { appId: app.id, trigger: 'manual', ...change }, box);
  const linesOf = async (id: string) => {
    const lines = await prisma().logLine.findMany({ where: { streamId: id } });
    return lines.map(({ text }) => text).join('\n');
  };
  /** What the next deployment does until its container starts. */
  const workedSoFar = async () => {
    world.events.length = 0;
    await work();
    return world.events.slice(0, world.events.indexOf('start 1'));
  };
  beforeEach(() => {
    world.head = COMMIT;
  });

  test('is cloned to know it, and its image taken; it passes the gate as always', async () => {
    const first = await deployed();
    const { id } = await requestOf();
    await work();
    expect(world.events).toEqual(['clone', 'start 1', 'open 1', 'routed 1', `remove 1.1 of ${first}`]);
    expect(await rowOf(id)).toMatchObject({
      status: 'live',
      imageId: 'sha256:one',
      imageTag: `berth/web:${first}`,
      imageReusedFromId: first,
      imageFromId: null,
      commitSha: COMMIT,
      imageBytes: 1000n,
    });
    expect(await linesOf(id)).toContain(`built by deployment ${first} with the same settings`);
  });

  test('is not even cloned where it is asked for by its id, as by a push; the third names the first', async () => {
    const first = await deployed();
    for (const trigger of ['push', 'manual'] as const) {
      const { id } = await requestOf({ trigger, commitSha: COMMIT });
      expect(await workedSoFar()).toEqual([]);
      expect(await rowOf(id)).toMatchObject({
        status: 'live',
        imageReusedFromId: first,
        commitSha: COMMIT,
        commitMessage: 'A change\n\nwith a body',
        branch: 'main',
      });
    }
  });

  test.each([
    ['asked for without cache', {}, { noCache: true }],
    ['with another build command', { buildCommand: 'make' }, {}],
    ['with another port', { port: 4000 }, {}],
  ])('is built again when %s', async (_name, change, asked) => {
    await deployed();
    await prisma().app.update({ where: { id: app.id }, data: change });
    const { id } = await requestOf({ commitSha: COMMIT, ...asked });
    expect(await workedSoFar()).toEqual(['clone', 'build']);
    expect(await rowOf(id)).toMatchObject({ status: 'live', imageReusedFromId: null });
  });

  test('is not built again for other memory, or another variable of its containers', async () => {
    await deployed();
    await prisma().app.update({ where: { id: app.id }, data: { memoryMb: 300, healthCheckPath: '/' } });
    await requestOf({ commitSha: COMMIT });
    expect(await workedSoFar()).toEqual([]);
  });

  test('of another app is built: images are never shared', async () => {
    await deployed();
    const other = await seedApp(prisma(), { name: 'other' });
    await requestOf({ appId: other.id, commitSha: COMMIT });
    expect(await workedSoFar()).toEqual(['clone', 'build']);
  });

  test('is built again when the image is gone from the machine, or given up by retention', async () => {
    await deployed();
    world.missingImages.add('sha256:one');
    await requestOf({ commitSha: COMMIT });
    world.tools.images.build = async () => {
      world.events.push('build');
      return { imageId: 'sha256:two', exposedPorts: [3000], bytes: 1000 };
    };
    expect(await workedSoFar()).toEqual(['clone', 'build']);

    // Nothing needs it any more.
    await prisma().app.update({ where: { id: app.id }, data: { liveDeploymentId: null } });
    await prisma().deployment.updateMany({ data: NEVER_LIVE });
    expect(await forgetImage(prisma(), { appId: app.id, imageId: 'sha256:two' })).toBe(true);
    await requestOf({ commitSha: COMMIT });
    expect(await workedSoFar()).toEqual(['clone', 'build']);
  });

  test('A9: an image that retention gives up at this very moment is not taken, and one that is taken stays', async () => {
    const source = { ...(await rowOf(await deployed())) };
    await requestOf({ commitSha: COMMIT });
    const claim = await worker.claim(prisma());
    await prisma().app.update({ where: { id: app.id }, data: { liveDeploymentId: null } });
    await prisma().deployment.update({ where: { id: source.id }, data: NEVER_LIVE });

    expect(await takeImageOf(prisma(), claim, source)).toBe(true);
    expect(await forgetImage(prisma(), { appId: app.id, imageId: 'sha256:one' })).toBe(false);

    await prisma().deployment.update({ where: { id: claim.deploymentId }, data: { imageId: null } });
    expect(await forgetImage(prisma(), { appId: app.id, imageId: 'sha256:one' })).toBe(true);
    expect(await takeImageOf(prisma(), claim, source)).toBe(false);
  });

  test('and has failed at the gate is tried again with the same image: what it lacked may be there now', async () => {
    world.healthy = false;
    const { id: failed } = await requestOf();
    await work();
    expect((await rowOf(failed)).status).toBe('failed');
    world.healthy = true;
    const { id } = await requestOf({ commitSha: COMMIT });
    expect(await workedSoFar()).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ status: 'live', imageReusedFromId: failed });
  });

  test('A20: runs its release command once more: it is a new deployment', async () => {
    await deployed();
    await prisma().app.update({ where: { id: app.id }, data: { releaseCommand: 'migrate' } });
    await requestOf({ commitSha: COMMIT });
    world.at = (point) => {
      if (point !== 'releasing-started') return;
      for (const found of world.containers.values())
        if (found.replica === 0) found.state = { ...found.state, status: 'exited', exitCode: 0 };
    };
    expect(await workedSoFar()).toEqual(['start 0', expect.stringMatching(/^remove 1\.0 of /)]);
  });

  test('F04: is not looked for again after a worker was killed that had taken it', async () => {
    await deployed();
    const { id } = await requestOf({ commitSha: COMMIT });
    await killedAt('built');
    expect(await workedSoFar()).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ status: 'live', attempt: 2 });
  });
});

describe('with a registry', () => {
  const pushes: string[] = [];
  let refusals: DeploymentFailed[];
  const nameOf = async (commit: string) => {
    const { user, name } = await prisma().project.findUniqueOrThrow({
      where: { id: app.projectId },
      include: { user: true },
    });
    return `registry.test/${user.hash}-${name}/web:${commit}`;
  };
  const useRegistry = () => {
    const settings = { ...world.tools.settings, registry: { host: 'registry.test', project: null } };
    const registry: ImageRegistry = {
      async push({ imageId, name }) {
        world.events.push(`push ${imageId}`);
        const refusal = refusals.shift();
        if (refusal) throw refusal;
        pushes.push(name);
      },
    };
    world = { ...world, tools: { ...world.tools, settings, registry } };
  };
  beforeEach(() => {
    pushes.length = 0;
    refusals = [];
    world.head = COMMIT;
    useRegistry();
  });

  test('an image is pushed when it is built, before anything of it runs', async () => {
    const { id } = await request();
    await work();
    expect(world.events).toEqual(['clone', 'build', 'push sha256:one', 'start 1', 'open 1', 'routed 1']);
    expect(pushes).toEqual([await nameOf(COMMIT)]);
    expect(await rowOf(id)).toMatchObject({ registryTag: pushes[0], imageTag: `berth/web:${id}` });
  });

  test('neither a restart nor the same commit again pushes it once more; both tell its name', async () => {
    await deployed();
    const again = [
      await requestDeployment(prisma(), { appId: app.id, trigger: 'push', commitSha: COMMIT }, box),
      await restartApp(prisma(), app.id, box),
    ];
    for (const { id } of again) {
      await work();
      expect((await rowOf(id)).registryTag).toBe(pushes[0]);
    }
    expect(pushes).toHaveLength(1);
  });

  test('an image of before there was a registry is pushed when its commit is deployed again', async () => {
    world = fakeWorld(prisma());
    world.head = COMMIT;
    await deployed();
    useRegistry();
    const { id } = await request();
    await work();
    expect(pushes).toHaveLength(1);
    expect((await rowOf(id)).registryTag).toBe(pushes[0]);
  });

  test('one that refuses ends the deployment at once, and nothing of it runs; the next only pushes', async () => {
    const first = await deployed();
    const asked = { appId: app.id, trigger: 'manual', commitSha: '8'.repeat(40) } as const;
    refusals = [new DeploymentFailed('registry_push_failed', 'It refuses the sign-in.', { mayPass: false })];
    const { id } = await requestDeployment(prisma(), asked, box);
    await work();
    expect(world.events).toEqual(['clone', 'build', 'push sha256:one']);
    expect(await rowOf(id)).toMatchObject({
      status: 'failed',
      failureCode: 'registry_push_failed',
      registryTag: null,
    });
    expect(await rowOf(first)).toMatchObject({ status: 'live' });
    await requestDeployment(prisma(), asked, box);
    await work();
    expect(world.events.filter((event) => event === 'build')).toHaveLength(1);
    expect(pushes).toHaveLength(2);
  });

  test('one that is away is tried again, without another build', async () => {
    refusals = [new DeploymentFailed('registry_push_failed', 'It is away.', { mayPass: true })];
    const { id } = await request();
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'pending', failureCode: null });
    await prisma().deployment.update({ where: { id }, data: { notBefore: null } });
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'live', registryTag: pushes[0] });
    expect(world.events.filter((event) => event === 'build')).toHaveLength(1);
  });
});

describe('F09: at shutdown', () => {
  test('before the switch it is handed back, and the attempt does not count', async () => {
    const { id } = await request();
    const stop = new AbortController();
    world.at = (point) => {
      if (point === 'gating') stop.abort();
    };
    await work(stop.signal);
    expect(await rowOf(id)).toMatchObject({ status: 'pending', leaseOwner: null });
    expect(world.containers.size).toBe(0);
    world.at = () => undefined;
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'live', attempt: 2 });
  });

  test('past the switch its candidate stays, and the next worker goes on from there', async () => {
    await deployed();
    const { id } = await request();
    const stop = new AbortController();
    world.at = (point) => {
      if (point === 'draining') stop.abort();
    };
    await work(stop.signal);
    expect(await rowOf(id)).toMatchObject({ status: 'live', step: 'draining', leaseOwner: null });
    world.at = () => undefined;
    world.events.length = 0;
    await work();
    expect(world.events).not.toContain('build');
    expect(await rowOf(id)).toMatchObject({ status: 'live', step: null });
  });
});

describe('a worker killed', () => {
  const addressesInUse = async () => {
    const where = { deployment: { appId: app.id }, releasedAt: null };
    const rows = await prisma().containerAddress.findMany({ where, orderBy: { createdAt: 'asc' } });
    return rows.map(({ address }) => address);
  };

  test.each(['cloning', 'building', 'starting', 'reserved', 'started', 'gating'])(
    'F02, F03, F05, F06: at %s is replaced by a new attempt that ends live, with nothing left',
    async (point) => {
      await deployed();
      const { id } = await request();
      await killedAt(point);
      await work();
      expect(await rowOf(id)).toMatchObject({ status: 'live', step: null, attempt: 2 });
      expect([...world.containers.values()].map((found) => [found.deploymentId, found.attempt])).toEqual([
        [id, 2],
      ]);
      expect(await addressesInUse()).toEqual([...world.containers.values()].map((found) => found.address));
    },
  );

  test.each(['built'])('F04: after the image was recorded at %s it is not built again', async (point) => {
    const { id } = await request();
    await killedAt(point);
    await work();
    expect(world.events.filter((event) => event === 'build')).toHaveLength(1);
    expect(await rowOf(id)).toMatchObject({ status: 'live', attempt: 2 });
  });

  test.each(['switching', 'routed', 'live', 'draining', 'retired'])(
    'F07, F08: at %s is followed by one that goes forward with the same candidate',
    async (point) => {
      const first = await deployed();
      const { id } = await request();
      await killedAt(point);
      await work();
      expect(await rowOf(id)).toMatchObject({ status: 'live', step: null, candidateAttempt: 1 });
      expect(await rowOf(first)).toMatchObject({ status: 'retired' });
      expect(world.events.filter((event) => event.startsWith('start'))).toHaveLength(1);
      expect([...world.containers.values()].map((found) => found.deploymentId)).toEqual([id]);
    },
  );

  test('F49: three times over the same deployment ends it with that reason', async () => {
    const { id } = await request();
    for (let times = 0; times < 3; times++) await killedAt('gating');
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'failed', failureCode: 'worker_lost' });
    expect(world.containers.size).toBe(0);
  });

  test('F49: … with no address left in use, wherever it was lost', async () => {
    const { id } = await request();
    for (let times = 0; times < 3; times++) await killedAt('reserved');
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'failed', failureCode: 'worker_lost' });
    expect(await addressesInUse()).toEqual([]);
  });

  test('F05, F44: with the address of a container to come leaves none in use when it is cancelled', async () => {
    await deployed();
    const live = await addressesInUse();
    const { id } = await request();
    await killedAt('reserved');
    expect(await addressesInUse()).toHaveLength(2);
    await cancelDeployment(prisma(), id);
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'cancelled' });
    expect(await addressesInUse()).toEqual(live);
  });

  test('F49: again and again in the drain leaves the release live', async () => {
    await deployed();
    const { id } = await request();
    for (let times = 0; times < 6; times++) await killedAt('draining');
    await work();
    expect(await rowOf(id)).toMatchObject({ status: 'live', step: null, leaseOwner: null });
  });
});
