import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ContainerLab } from '../../test/support/container-lab.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { ContainerEvent, RunningContainer } from '../engine/ports.ts';
import { createLogger } from '../logger/logger.ts';
import { DockerContainerEvents } from './container-events.ts';
import { DockerContainerRepairs } from './container-repairs.ts';
import { execInContainer } from './exec-in-container.ts';

let lab: ContainerLab;
let repairs: DockerContainerRepairs;
let scratch: string;

beforeAll(async () => {
  lab = await ContainerLab.open();
  repairs = new DockerContainerRepairs({ docker: lab.docker, instanceId: lab.instanceId });
  scratch = await lab.scratchImage();
});
afterAll(() => lab?.close(), 120_000);

const isHealthy = ({ health }: { health: string }) => health === 'healthy';
const docker = ({ containerId }: RunningContainer) => lab.docker.getContainer(containerId);

describe('a container that was made for a release with its traffic', () => {
  test('is healthy as soon as it listens, and again after it was stopped by hand and started', async () => {
    const container = await lab.start(lab.request(scratch, { gate: 'routed' }));
    await lab.until(container, 'healthy', isHealthy);
    await docker(container).stop({ t: 0 });
    await repairs.startAgain(container.containerId);
    await lab.until(container, 'healthy', isHealthy);
    await repairs.startAgain(container.containerId);
  });

  test('shows a closed gate within seconds once its hold is ended, is healthy once it is open, and its app does not notice', async () => {
    // The app is a busybox too, and sleeps as the hold does.
    const script = '/busybox sleep 3600 & exec /busybox httpd -f -p 8080';
    const command = ['/busybox', 'sh', '-c', script];
    const request = lab.request(scratch, { gate: 'routed', command });
    const container = await lab.start(request);
    await lab.until(container, 'healthy', isHealthy);
    const processes = async () => JSON.stringify((await docker(container).top()).Processes);
    await waitUntil('the check to hold', async () =>
      (await processes()).includes('/.berth/busybox sleep 3600'),
    );
    await lab.gate.close(request.ref, 1);
    await repairs.endHold(container.containerId);
    const state = await lab.until(container, 'unhealthy', ({ health }) => health === 'unhealthy');
    expect(state.status).toBe('running');
    expect(await lab.gate.isOpen(request.ref, 1)).toBe(false);
    await lab.gate.markRouted(request.ref, 1);
    await lab.gate.open(request.ref, 1);
    expect(await lab.gate.isOpen(request.ref, 1)).toBe(true);
    await lab.until(container, 'healthy', isHealthy);
    expect(await lab.gate.isOpen(request.ref, 2)).toBeNull();
    expect(await processes()).toContain('"/busybox sleep 3600');
  });
});

test('a paused container runs again, and one that is not paused stays as it is', async () => {
  const container = await lab.start(lab.request(scratch));
  await docker(container).pause();
  await repairs.unpause(container.containerId);
  await repairs.unpause(container.containerId);
  expect((await lab.runner.state(container.containerId))?.status).toBe('running');
});

test('F39: a check that holds and has told a Docker that asks anew nothing tells it once its hold is ended', async () => {
  const container = await lab.start(lab.request(scratch, { gate: 'routed' }));
  expect(await repairs.endHold((await lab.start(lab.request(scratch))).containerId)).toBe(false);
  await lab.until(container, 'healthy', isHealthy);
  const holds = async () => {
    const listed: { Processes: string[][] } = await docker(container).top({ ps_args: '-eo pid,args' });
    return listed.Processes.flatMap(([pid = '', args]) => (args?.includes('sleep 3600') ? [pid] : []));
  };
  await waitUntil('the check to hold', async () => (await holds()).length > 0);
  const before = await holds();
  // As it is for the 0.3 s between the run that says healthy and the one that holds.
  const command = ['/busybox', 'sh', '-c', 'echo healthy >/dev/shm/.berth-gate'];
  await execInContainer(docker(container), command);
  await docker(container).pause();
  await repairs.unpause(container.containerId);
  await waitUntil('another run to hold', async () => (await holds()).some((pid) => !before.includes(pid)));
  expect((await lab.runner.state(container.containerId))?.health).toBe('unhealthy');
  expect(await repairs.endHold(container.containerId)).toBe(true);
  await lab.until(container, 'healthy', isHealthy);
});

test('a restart is a new start of the same container', async () => {
  const container = await lab.start(lab.request(scratch));
  const before = await lab.runner.state(container.containerId);
  await repairs.restart(container.containerId, 0);
  const after = await lab.until(container, 'running', ({ status }) => status === 'running');
  expect(after.startedAt).not.toBe(before?.startedAt);
});

describe('F15: what a build leaves behind when its daemon ends', () => {
  const appId = 'leftbuild2';
  /** A container as it was listed after a daemon was killed between two steps of a build. */
  async function create(labels: Record<string, string>, command: string[]): Promise<string> {
    const Labels = { 'berth.instance': lab.instanceId, 'berth.app': appId, ...labels };
    return (await lab.docker.createContainer({ Image: scratch, Labels, Cmd: command })).id;
  }
  const ofImage = { 'berth.deployment': 'deployment', 'berth.attempt': '1' };
  const found = async () =>
    (await repairs.buildSteps()).flatMap((step) => (step.appId === appId ? [step.containerId] : [])).sort();

  test('is a step that ran, and one that only wrote labels; not what somebody made of the image by hand', async () => {
    const ran = await create({}, ['/bin/sh', '-c', 'make']);
    const wrote = await create(ofImage, ['/bin/sh', '-c', '#(nop) ', 'LABEL berth.app=leftbuild2']);
    const byHand = await create(ofImage, ['/busybox', 'sh']);
    const ofApp = { ...ofImage, 'berth.replica': '1', 'berth.port': '80' };
    const web = await create(ofApp, ['/busybox', 'sh', '-c', '#(nop) is a comment']);
    expect(await found()).toEqual([ran, wrote].sort());
    for (const id of await found()) await repairs.remove(id);
    expect(await found()).toEqual([]);
    for (const id of [byHand, web]) await repairs.remove(id);
  });
});

test('F03: a container that was made for a moment is found once it has outlived that, and no other', async () => {
  const create = async (labels: Record<string, string>) => {
    const Labels = { 'berth.instance': lab.instanceId, ...labels };
    return (await lab.docker.createContainer({ Image: scratch, Labels, Cmd: ['true'] })).id;
  };
  const app = await lab.start(lab.request(scratch));
  const left = [
    await create({ 'berth.nudge': 'true', 'berth.app': '' }),
    await create({ 'berth.gate-tool': 'true' }),
  ];
  expect(await repairs.outlived(60)).toEqual([]);
  const found = await repairs.outlived(-60);
  expect(found.toSorted()).toEqual(left.toSorted());
  expect(found).not.toContain(app.containerId);
  for (const id of left) await repairs.remove(id);
});

test('a stopped container stays, and no daemon brings it back', async () => {
  const container = await lab.start(lab.request(scratch));
  await lab.runner.setRestartPolicy(container.containerId, 'always');
  await repairs.stop(container.containerId, 0);
  expect(await lab.runner.state(container.containerId)).toMatchObject({
    status: 'exited',
    restartPolicy: 'no',
  });
});

describe('F41: a network that was removed by hand', () => {
  async function removedNetwork(): Promise<{ container: RunningContainer; join: () => Promise<void> }> {
    const network = lab.randomNetwork();
    await lab.ensureNetwork(network);
    const request = lab.request(scratch, { network, gate: 'routed' });
    const container = await lab.start(request);
    await lab.until(container, 'healthy', isHealthy);
    const join = async () => {
      await lab.ensureNetwork(network);
      const { address, alias } = request;
      await repairs.joinNetwork(container.containerId, { name: network.name, address, alias });
    };
    return { container, join };
  }
  const expectJoined = async (container: RunningContainer) => {
    const [name = ''] = Object.keys((await docker(container).inspect()).NetworkSettings.Networks);
    const id = (await repairs.networks()).get(name);
    expect((await lab.runner.state(container.containerId))?.networkIds).toEqual([id]);
    expect(await lab.runner.list({ deploymentId: container.deploymentId })).toEqual([container]);
  };

  test('is joined anew by the running container, which keeps its address and its start', async () => {
    const { container, join } = await removedNetwork();
    const before = await lab.runner.state(container.containerId);
    const [name = ''] = Object.keys((await docker(container).inspect()).NetworkSettings.Networks);
    await lab.docker.getNetwork(name).disconnect({ Container: container.containerId, Force: true });
    await lab.docker.getNetwork(name).remove();
    expect(await lab.runner.list({ deploymentId: container.deploymentId })).toMatchObject([{ address: '' }]);
    await join();
    await expectJoined(container);
    expect((await lab.runner.state(container.containerId))?.startedAt).toBe(before?.startedAt);
  });

  test('is joined anew by a stopped container, which then starts', async () => {
    const { container, join } = await removedNetwork();
    const [name = ''] = Object.keys((await docker(container).inspect()).NetworkSettings.Networks);
    await docker(container).stop({ t: 0 });
    await lab.docker.getNetwork(name).remove();
    await expect(repairs.startAgain(container.containerId)).rejects.toMatchObject({
      message: expect.stringContaining('network'),
    });
    await join();
    await repairs.startAgain(container.containerId);
    await lab.until(container, 'healthy', isHealthy);
    await expectJoined(container);
  });
});

test('the highest priority of our routers is read from the labels, running or not', async () => {
  const routingLabels = {
    'traefik.http.routers.web-a.priority': '1007',
    'traefik.http.routers.web-a-main.priority': '1012',
  };
  const container = await lab.start(lab.request(scratch, { routingLabels }));
  await docker(container).stop({ t: 0 });
  expect(await repairs.highestRoutePriority()).toBe(1012);
});

describe('what befalls our containers', () => {
  test('F26: is told as it happens: out of memory, ended with its code, removed', async () => {
    const stop = new AbortController();
    const seen: (ContainerEvent | null)[] = [];
    const logger = createLogger({ level: 'silent', process: 'worker' });
    const events = new DockerContainerEvents({ docker: lab.docker, instanceId: lab.instanceId, logger });
    const watching = events.watch((event) => seen.push(event), stop.signal);
    await waitUntil('the daemon to be listened to', () => seen.includes(null));

    const eat = ['/busybox', 'sh', '-c', 'exec /busybox tail /dev/zero'];
    const limits = { memoryMb: 16, cpus: 1, pids: 512 };
    const container = await lab.start(lab.request(scratch, { command: eat, limits }));
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    await docker(container).remove();
    const ofIt = () => seen.filter((event) => event?.containerId === container.containerId);
    await waitUntil('its removal to be told', () => ofIt().some((event) => event?.kind === 'removed'));
    stop.abort();
    await watching;
    const of = { containerId: container.containerId, deploymentId: container.deploymentId };
    expect(ofIt()).toEqual(
      expect.arrayContaining([
        { ...of, kind: 'out_of_memory', exitCode: null },
        { ...of, kind: 'ended', exitCode: 137 },
      ]),
    );
  });
});
