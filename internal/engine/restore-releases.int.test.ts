import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeContainer, type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { App } from '../db/database.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { restoreReleases } from './restore-releases.ts';
import { SeenRestarts } from './seen-restarts.ts';

const box = new SealedBox(newKey());
const worker = new TestWorker(box);
let database: TestDatabase;
let world: FakeWorld;
let seen: SeenRestarts;
let app: App;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  world = fakeWorld(prisma());
  seen = new SeenRestarts(world.tools.clock);
  app = await seedApp(prisma(), { healthCheckPath: '/health' });
});

const prisma = () => database.database.prisma;
const rowOf = (id: string) => prisma().deployment.findUniqueOrThrow({ where: { id } });
const pass = () =>
  restoreReleases({ ...world.tools, box }, { seen, concern: 'all', signal: new AbortController().signal });

const deployed = () => worker.deploy(world, app.id);

function only(): FakeContainer {
  const [container, ...others] = world.containers.values();
  if (!container || others.length > 0) throw new Error('exactly one container was expected');
  return container;
}
function becomes(state: Partial<FakeContainer['state']>): void {
  const container = only();
  container.state = { ...container.state, ...state };
}

const identity = ({ containerName, address, replica, port, attempt, gateOpen }: FakeContainer) => ({
  containerName,
  address,
  replica,
  port,
  attempt,
  gateOpen,
});

async function appLines(): Promise<string[]> {
  const lines = await prisma().logLine.findMany({
    where: { streamId: runtimeStreamId(app.id) },
    orderBy: { seq: 'asc' },
  });
  return lines.map(({ text }) => text);
}
/** As if so much time had gone by since everything the rows know. */
async function later(minutes: number): Promise<void> {
  await prisma().$executeRaw`
    UPDATE release_health SET window_start = window_start - make_interval(mins => ${minutes}),
      not_before = not_before - make_interval(mins => ${minutes}),
      updated_at = updated_at - make_interval(mins => ${minutes})`;
}

describe('a live release', () => {
  test('that runs is left alone', async () => {
    await deployed();
    await pass();
    expect(world.events).toEqual([]);
  });

  test('F38: whose container is gone gets the same again: name, address, labels, an open gate', async () => {
    await prisma().app.update({ where: { id: app.id }, data: { replicas: 2 } });
    await deployed();
    const before = [...world.containers.values()].map(identity);
    world.containers.clear();
    await pass();
    expect(world.events).toEqual(['start 1', 'start 2']);
    const after = [...world.containers.values()];
    expect(after.map(identity)).toEqual(before);
    expect(after.map(({ state }) => state.restartPolicy)).toEqual(['always', 'always']);
    expect((await appLines()).slice(-2)).toEqual([
      'Replica 1 was gone and has been made anew',
      'Replica 2 was gone and has been made anew',
    ]);
  });

  test('F39: that was stopped by hand is started again, with a line that tells it', async () => {
    await deployed();
    becomes({ status: 'exited', exitCode: 137 });
    await pass();
    expect(world.events).toEqual(['start again 1']);
    expect((await appLines()).at(-1)).toBe('Replica 1 had ended (exit code 137) and has been started again');
  });

  test('that falls at once again waits longer each time', async () => {
    await deployed();
    for (let times = 0; times < 3; times++) {
      becomes({ status: 'exited', exitCode: 1 });
      await pass();
    }
    expect(world.events).toEqual(['start again 1']);
    await later(1);
    await pass();
    expect(world.events).toEqual(['start again 1', 'start again 1']);
  });

  test('whose container cannot be started any more is replaced, its address kept', async () => {
    await deployed();
    const { address } = only();
    becomes({ status: 'exited' });
    const { repairs } = world.tools;
    const startAgain = async () => {
      throw new DeploymentFailed('image_start_failed', 'Its gate folder is gone.');
    };
    await restoreReleases(
      { ...world.tools, repairs: { ...repairs, startAgain }, box },
      { seen, concern: 'all', signal: new AbortController().signal },
    );
    expect(world.events.at(-1)).toBe('start 1');
    expect(only()).toMatchObject({ address, gateOpen: true });
  });

  test('F41: whose network is gone gets it again, and the proxy is told', async () => {
    await deployed();
    world.networks.clear();
    await pass();
    expect(world.events).toEqual(['join 1', 'nudge']);
    expect(only().state.networkIds).toEqual([...world.networks.values()]);
    await pass();
    expect(world.events).toEqual(['join 1', 'nudge']);
  });

  test('is not repaired while its successor takes over', async () => {
    const id = await deployed();
    world.containers.clear();
    await prisma().deployment.update({ where: { id }, data: { step: 'draining' } });
    await pass();
    expect(world.events).toEqual([]);
  });

  test('of an app that is to stop stays as it is', async () => {
    await deployed();
    becomes({ status: 'exited' });
    await prisma().app.update({ where: { id: app.id }, data: { desiredState: 'stopped' } });
    await pass();
    expect(world.events).toEqual([]);
  });

  test('F18: a daemon that does not answer ends the pass, and nothing is counted against the app', async () => {
    await deployed();
    const away = () => Promise.reject(new DeploymentFailed('docker_unavailable', 'Docker did not answer.'));
    const containers = { ...world.tools.containers, list: away };
    const signal = new AbortController().signal;
    const frozen = restoreReleases({ ...world.tools, containers, box }, { seen, concern: 'all', signal });
    await expect(frozen).rejects.toMatchObject({ code: 'docker_unavailable' });
    expect(await prisma().releaseHealth.count()).toBe(0);
  });
});

describe('F40: the image of a live release is gone', () => {
  test('a release that runs goes on', async () => {
    await deployed();
    world.missingImages.add('sha256:one');
    await pass();
    expect(world.events).toEqual([]);
  });

  test('its commit is built again when nothing of it serves, once, and both logs say so', async () => {
    const id = await deployed();
    world.missingImages.add('sha256:one');
    world.containers.clear();
    await pass();
    await later(10);
    await pass();
    expect(await rowOf(id)).toMatchObject({ status: 'crashed', failureCode: 'image_missing' });
    const [rebuild, ...others] = await prisma().deployment.findMany({
      where: { appId: app.id, status: 'pending' },
    });
    expect(others).toEqual([]);
    expect(rebuild).toMatchObject({
      trigger: 'restart',
      requestedSha: 'a'.repeat(40),
      imageId: null,
      imageFromId: id,
    });
    expect((await appLines()).join('\n')).toContain(`deployment ${rebuild?.id} builds its commit again`);
    const lines = await prisma().logLine.findMany({ where: { streamId: rebuild?.id ?? '' } });
    expect(lines.map(({ text }) => text).join('\n')).toContain('is gone from the machine');
  });

  test('one of two replicas that is gone is told of, and the other serves on', async () => {
    await prisma().app.update({ where: { id: app.id }, data: { replicas: 2 } });
    const id = await deployed();
    world.missingImages.add('sha256:one');
    world.containers.delete([...world.containers.keys()][0] ?? '');
    await pass();
    expect(await rowOf(id)).toMatchObject({ status: 'live' });
    expect(await prisma().deployment.count({ where: { status: 'pending' } })).toBe(0);
    expect((await appLines()).at(-1)).toContain('The image of this release is gone');
  });
});

describe('F28: a release that Docker restarts again and again', () => {
  const end = (exitCode: number, outOfMemory = false) => {
    const { containerId, deploymentId } = only();
    const of = { containerId, deploymentId };
    if (outOfMemory) seen.note({ ...of, kind: 'out_of_memory', exitCode: null });
    seen.note({ ...of, kind: 'ended', exitCode });
  };

  test('has crashed after five times, with cause, exit code and last lines, and goes on being started', async () => {
    const id = await deployed();
    await pass();
    end(3);
    becomes({ restartCount: 4 });
    await pass();
    expect(await rowOf(id)).toMatchObject({ status: 'live' });
    expect((await appLines()).at(-1)).toBe('Replica 1 ended with exit code 3 and was started again 4 times');
    becomes({ restartCount: 5, status: 'restarting' });
    await pass();
    expect(await rowOf(id)).toMatchObject({
      status: 'crashed',
      failureCode: 'crash_loop',
      exitCode: 3,
      outOfMemory: false,
      logTail: ['the last line'],
    });
    const { liveDeploymentId } = await prisma().app.findUniqueOrThrow({ where: { id: app.id } });
    expect(liveDeploymentId).toBe(id);
    expect(world.events).toEqual([]);
  });

  test('F26: out of memory is the cause where it was', async () => {
    const id = await deployed();
    await pass();
    end(137, true);
    becomes({ restartCount: 1 });
    await pass();
    const line = 'Replica 1 used more memory than its limit of 512 MB and was started again';
    expect((await appLines()).at(-1)).toBe(line);
    expect(await prisma().releaseHealth.findUniqueOrThrow({ where: { deploymentId: id } })).toMatchObject({
      restarts: 1,
      lastCause: 'used more memory than its limit of 512 MB',
    });
    becomes({ restartCount: 5 });
    await pass();
    expect(await rowOf(id)).toMatchObject({
      status: 'crashed',
      failureCode: 'out_of_memory',
      outOfMemory: true,
    });
  });

  test('is live again after ten quiet minutes, and not before', async () => {
    const id = await deployed();
    await pass();
    becomes({ restartCount: 6 });
    await pass();
    await later(9);
    await pass();
    expect(await rowOf(id)).toMatchObject({ status: 'crashed' });
    await later(1);
    await pass();
    expect(await rowOf(id)).toMatchObject({
      status: 'live',
      failureCode: null,
      finishedAt: null,
      logTail: [],
    });
    expect((await appLines()).at(-1)).toBe(`Release ${id} runs steadily again`);
  });

  test('stays crashed in the history when a new release takes its place', async () => {
    const id = await deployed();
    await pass();
    becomes({ restartCount: 6 });
    await pass();
    const next = await deployed();
    expect(await rowOf(id)).toMatchObject({ status: 'crashed' });
    expect(await rowOf(next)).toMatchObject({ status: 'live', previousId: id });
    expect(only().deploymentId).toBe(next);
  });

  test('is the app’s release again, still crashed, when its successor dies while it drains', async () => {
    const id = await deployed();
    await pass();
    becomes({ restartCount: 6 });
    await pass();
    world.at = (point) => {
      if (point !== 'draining') return;
      for (const found of world.containers.values())
        if (found.deploymentId !== id) found.state = { ...found.state, status: 'exited', exitCode: 1 };
    };
    await deployed();
    const { liveDeploymentId } = await prisma().app.findUniqueOrThrow({ where: { id: app.id } });
    expect(liveDeploymentId).toBe(id);
    expect(await rowOf(id)).toMatchObject({ status: 'crashed' });
  });
});
