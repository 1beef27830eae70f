import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { HostConfig } from 'dockerode';
import { ensureNodeImage } from '../../test/support/base-image.ts';
import { ContainerLab } from '../../test/support/container-lab.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { RunningContainer, StartRequest } from '../engine/ports.ts';
import { containerSpec } from './container-spec.ts';
import { execInContainer } from './exec-in-container.ts';

let lab: ContainerLab;
let scratch: string;

beforeAll(async () => {
  lab = await ContainerLab.open();
  scratch = await lab.scratchImage();
});
afterAll(() => lab?.close(), 120_000);

const isHealthy = ({ health }: { health: string }) => health === 'healthy';
const listens = async (container: RunningContainer, port = 8080) =>
  (await lab.runner.listeningPorts(container.containerId)).some((socket) => socket.port === port);
const processes = async ({ containerId }: RunningContainer): Promise<string> =>
  JSON.stringify(await lab.docker.getContainer(containerId).top({ ps_args: '-eo pid,args' }));

/** An app that listens only from the moment a file is there; busybox is its only program. */
function lateListener(change: Partial<StartRequest> = {}): StartRequest {
  const script = 'until [ -e /dev/shm/go ]; do /busybox sleep 0.05; done; exec /busybox httpd -f -p 8080';
  return lab.request(scratch, { command: ['/busybox', 'sh', '-c', script], ...change });
}
const letListen = ({ containerId }: RunningContainer) =>
  execInContainer(lab.docker.getContainer(containerId), ['/busybox', 'touch', '/dev/shm/go']);

test('A15: an image of one binary is healthy only after the gate was opened, and then at once', async () => {
  const request = lab.request(scratch);
  const container = await lab.start(request);
  await waitUntil('the app to listen', () => listens(container));
  await waitUntil('the check to wait', async () => (await processes(container)).includes('/.berth/check'));
  expect(await lab.health(container)).toBe('starting');

  const opened = performance.now();
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
  // Docker's own interval between two checks is 30 s.
  expect(performance.now() - opened).toBeLessThan(10_000);
});

test('an open gate alone is not enough: the port must listen, since this start', async () => {
  const request = lateListener();
  const container = await lab.start(request);
  await lab.gate.open(request.ref, 1);
  await waitUntil('the check to wait', async () => (await processes(container)).includes('/.berth/check'));
  expect(await lab.health(container)).toBe('starting');
  await letListen(container);
  await lab.until(container, 'healthy', isHealthy);

  const before = await lab.until(container, 'running', () => true);
  await lab.docker.getContainer(container.containerId).restart({ t: 0 });
  await waitUntil('the check to wait', async () => (await processes(container)).includes('/.berth/check'));
  const restarted = await lab.until(container, 'running', ({ status }) => status === 'running');
  expect(restarted.startedAt).not.toBe(before.startedAt);
  expect(restarted.health).toBe('starting');
  await letListen(container);
  await lab.until(container, 'healthy', isHealthy);
});

test('a closed gate shows within some seconds, and can be opened again', async () => {
  const request = lab.request(scratch);
  const container = await lab.start(request);
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
  await lab.gate.close(request.ref, 1);
  await lab.until(container, 'unhealthy', ({ health }) => health === 'unhealthy');
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
});

test('a routed release costs one sleeping process, and is healthy again as soon as it listens after a restart', async () => {
  const request = lab.request(scratch);
  const container = await lab.start(request);
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
  await lab.gate.markRouted(request.ref, 1);
  const holds = async () => (await processes(container)).includes('/.berth/busybox sleep 3600');
  await waitUntil('the check to hold', holds);
  expect(await lab.health(container)).toBe('healthy');

  await lab.docker.getContainer(container.containerId).restart({ t: 0 });
  const restarted = performance.now();
  await lab.until(container, 'healthy', isHealthy);
  expect(performance.now() - restarted).toBeLessThan(10_000);
  await waitUntil('the check to hold again', holds);
});

test('a check that begins anew after a hold says healthy first: a restarted daemon may have forgotten', async () => {
  const request = lab.request(scratch);
  const container = await lab.start(request);
  await lab.gate.open(request.ref, 1);
  await lab.gate.markRouted(request.ref, 1);
  const holds = async () => (await processes(container)).includes('/.berth/busybox sleep 3600');
  await waitUntil('the check to hold', holds);
  // The daemon's view begins anew: it says unhealthy until it is told otherwise.
  await lab.runner.restartHealthCheck(container.containerId);
  await lab.until(container, 'healthy', isHealthy);
});

test.each<[string, string[], (request: StartRequest) => StartRequest]>([
  ['runs as another user', ['USER 10001:10001'], (request) => request],
  [
    'listens on IPv6 only',
    [],
    (request) => ({ ...request, command: ['/busybox', 'httpd', '-f', '-p', '[::]:8080'] }),
  ],
  [
    'listens on port 80 as another user',
    ['USER 10001'],
    (request) => ({ ...request, port: 80, command: ['/busybox', 'httpd', '-f', '-p', '80'] }),
  ],
])('an image that %s passes the gate', async (_, changes, adapt) => {
  const request = adapt(lab.request(await lab.scratchImage(...changes)));
  const container = await lab.start(request);
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
});

test.each<[string, Partial<HostConfig>]>([
  ['root file system is read-only', { ReadonlyRootfs: true }],
  ['/dev/shm cannot be written', { Tmpfs: { '/dev/shm': 'mode=0555' } }],
])('the gate opens and closes where the %s', async (_, options) => {
  const request = lab.request(scratch);
  const gateFolder = await lab.gate.create(request.ref, 1, request);
  const spec = containerSpec(request, { instanceId: lab.instanceId, gateFolder });
  const created = await lab.docker.createContainer({
    ...spec,
    User: '10001',
    HostConfig: { ...spec.HostConfig, ...options },
  });
  await created.start();
  const [container] = await lab.runner.list({ deploymentId: request.ref.deploymentId });
  if (!container) throw new Error('the container is not listed');
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
  // Where nothing can remember, nothing holds: a closed gate shows even then.
  if (options.Tmpfs) await lab.gate.markRouted(request.ref, 1);
  await lab.gate.close(request.ref, 1);
  await lab.until(container, 'unhealthy', ({ health }) => health === 'unhealthy');
});

test('T38: the health check of the image is replaced', async () => {
  const request = lab.request(await lab.scratchImage('HEALTHCHECK CMD ["/busybox","false"]'));
  const container = await lab.start(request);
  await lab.gate.open(request.ref, 1);
  await lab.until(container, 'healthy', isHealthy);
});

test('an app at its pids limit says that the check could not run', async () => {
  // Takes every process slot that comes free, also the one between two commands of a check that got in first.
  const fill = `const { spawn } = require('node:child_process');
    setInterval(() => { for (let i = 0; i < 50; i++) spawn('sleep', ['600']).on('error', () => {}); }, 5)`;
  const request = lab.request(await ensureNodeImage(), {
    command: ['node', '-e', fill],
    limits: { memoryMb: 512, cpus: 1, pids: 64 },
  });
  const container = await lab.start(request);
  const state = await lab.until(container, 'without a check', ({ gateError }) => gateError !== null);
  expect(state.gateError).toMatch(/fork|resource temporarily unavailable|exec/i);
}, 60_000);

test('the gate tells which folders there are, and removes one, or those of one deployment', async () => {
  const [first, second] = [lab.request(scratch), lab.request(scratch)];
  await lab.gate.create(first.ref, 1, first);
  await lab.gate.create(first.ref, 2, first);
  await lab.gate.create(second.ref, 1, second);
  const folder = ({ ref: { deploymentId, attempt } }: typeof first, replica: number) => ({
    deploymentId,
    attempt,
    replica,
  });
  const ours = [folder(first, 1), folder(first, 2), folder(second, 1)];
  const of = new Set(ours.map(({ deploymentId }) => deploymentId));
  const listed = async () => (await lab.gate.list()).filter(({ deploymentId }) => of.has(deploymentId));
  expect(await listed()).toHaveLength(3);
  expect(await listed()).toEqual(expect.arrayContaining(ours));
  await lab.gate.remove(second.ref, 1);
  expect(await listed()).not.toContainEqual(folder(second, 1));
  await lab.gate.create(second.ref, 1, second);
  await lab.gate.removeAll(first.ref.deploymentId);
  expect(await listed()).toEqual([folder(second, 1)]);
  await expect(lab.gate.open(first.ref, 1)).rejects.toMatchObject({ code: 'ENOENT' });
  await rm(lab.gateDir, { recursive: true });
  expect(await lab.gate.list()).toEqual([]);
});
