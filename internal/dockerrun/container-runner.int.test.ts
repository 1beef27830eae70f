import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ContainerLab } from '../../test/support/container-lab.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { RunningContainer } from '../engine/ports.ts';

let lab: ContainerLab;
let scratch: string;

beforeAll(async () => {
  lab = await ContainerLab.open();
  scratch = await lab.scratchImage();
});
afterAll(() => lab?.close(), 120_000);

const inspect = ({ containerId }: RunningContainer) => lab.docker.getContainer(containerId).inspect();
const shell = (script: string) => ['/busybox', 'sh', '-c', script];

test('T31, T39: a container has the limits and no more privileges than listed', async () => {
  const { HostConfig, Config } = await inspect(await lab.start(lab.request(scratch)));
  expect(HostConfig).toMatchObject({
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID', 'KILL', 'NET_BIND_SERVICE'],
    SecurityOpt: ['no-new-privileges:true'],
    Init: true,
    NetworkMode: lab.network.name,
    PidMode: '',
    IpcMode: 'private',
    UTSMode: '',
    UsernsMode: '',
    Binds: null,
    VolumesFrom: null,
    Devices: null,
    DeviceRequests: null,
    DeviceCgroupRules: null,
    PortBindings: null,
    PublishAllPorts: false,
    ExtraHosts: null,
    Memory: 64 * 1024 * 1024,
    MemorySwap: 64 * 1024 * 1024,
    NanoCpus: 1_000_000_000,
    PidsLimit: 512,
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    RestartPolicy: { Name: 'no' },
  });
  expect(HostConfig.Mounts).toEqual([
    {
      Type: 'bind',
      Source: expect.stringContaining(lab.gateDir),
      Target: '/.berth',
      ReadOnly: true,
      BindOptions: { Propagation: 'rprivate' },
    },
  ]);
  expect(Config.Tty).toBe(false);
});

test('T31: the kernel has taken the privileges away, and the gate cannot be written from inside', async () => {
  const script = `/busybox grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status; >/.berth/ready`;
  const container = await lab.start(lab.request(scratch, { command: shell(script) }));
  await lab.until(container, 'ended', ({ status }) => status === 'exited');
  const lines = await lab.runner.logTail(container.containerId, 10);
  // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10
  expect(lines).toContain('CapBnd:\t00000000000004eb');
  expect(lines).toContain('NoNewPrivs:\t1');
  expect(lines.join('\n')).toContain('Read-only file system');
});

test('the container has the address asked for, also in the list and after it ended', async () => {
  const request = lab.request(scratch);
  const container = await lab.start(request);
  const info = await inspect(container);
  expect(info.NetworkSettings.Networks[lab.network.name]?.IPAddress).toBe(request.address);
  await lab.docker.getContainer(container.containerId).stop({ t: 0 });
  expect(await lab.runner.list({ deploymentId: request.ref.deploymentId })).toEqual([container]);
  expect(await lab.runner.list({ appId: 'another' })).toEqual([]);
});

test('an address that is taken is said to be', async () => {
  const taken = lab.request(scratch);
  await lab.start(taken);
  const request = { ...lab.request(scratch), address: taken.address };
  await expect(lab.start(request)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('address'),
  });
  await expectNothingOf(request.ref.deploymentId);
});

test('a start that Docker refuses leaves neither container nor folder, and says why', async () => {
  const request = lab.request(await lab.scratchImage('USER nobody'));
  await expect(lab.start(request)).rejects.toMatchObject({
    code: 'image_start_failed',
    message: expect.stringContaining('USER'),
  });
  await expectNothingOf(request.ref.deploymentId);
});

test('an image that is gone is said to be', async () => {
  await expect(lab.start(lab.request(`sha256:${'0'.repeat(64)}`))).rejects.toMatchObject({
    code: 'image_missing',
  });
});

test('a command that is not there ends with 127 and a line that names it', async () => {
  const container = await lab.start(lab.request(scratch, { command: ['/serve'] }));
  const state = await lab.until(container, 'ended', ({ status }) => status === 'exited');
  expect(state.exitCode).toBe(127);
  expect((await lab.runner.logTail(container.containerId, 5)).join()).toContain('/serve');
});

test('an app that ends has its exit code and its last lines', async () => {
  const script =
    'i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; /busybox sleep 0.3; echo bad >&2; exit 3';
  const container = await lab.start(lab.request(scratch, { command: shell(script) }));
  const state = await lab.until(container, 'ended', ({ status }) => status === 'exited');
  expect(state).toMatchObject({ exitCode: 3, outOfMemory: false, restartCount: 0 });
  const lines = await lab.runner.logTail(container.containerId, 1000);
  expect(lines).toHaveLength(200);
  expect(lines).toContain('line 299');
  expect(lines).toContain('bad');
});

test('F14: Docker says whether it has seen a container end, since a start', async () => {
  const container = await lab.start(lab.request(scratch, { command: shell('exit 3') }));
  const { startedAt } = await lab.until(container, 'ended', ({ status }) => status === 'exited');
  const other = await lab.start(lab.request(scratch));
  expect(await lab.runner.sawEnd(container.containerId, startedAt)).toBe(true);
  expect(await lab.runner.sawEnd(container.containerId, new Date().toISOString())).toBe(false);
  expect(await lab.runner.sawEnd(other.containerId, startedAt)).toBe(false);
});

test('an app that uses more memory than its limit is said to', async () => {
  const container = await lab.start(
    lab.request(scratch, {
      command: ['/busybox', 'tail', '/dev/zero'],
      limits: { memoryMb: 16, cpus: 1, pids: 512 },
    }),
  );
  const state = await lab.until(container, 'ended', ({ status }) => status === 'exited');
  expect(state.outOfMemory).toBe(true);
});

test('F05: what an earlier try left under the same name makes way', async () => {
  const request = lab.request(scratch);
  const first = await lab.start(request);
  const second = await lab.start(request);
  expect(second.containerId).not.toBe(first.containerId);
  expect(await lab.runner.state(first.containerId)).toBeNull();
  expect((await lab.runner.state(second.containerId))?.status).toBe('running');
});

test('T76: a container of that name that is not ours stays', async () => {
  const request = lab.request(scratch);
  const foreign = await lab.docker.createContainer({
    name: request.containerName,
    Image: scratch,
    Cmd: ['/busybox', 'true'],
    Labels: { 'berth.instance': 'another' },
  });
  try {
    await expect(lab.start(request)).rejects.toThrow('not of this installation');
    expect((await foreign.inspect()).State.Status).toBe('created');
  } finally {
    await foreign.remove({ force: true });
  }
});

test('an aborted start leaves nothing and rejects with the reason', async () => {
  const request = lab.request(scratch);
  const controller = new AbortController();
  const started = lab.runner.start(request, controller.signal);
  controller.abort(new Error('cancelled'));
  await expect(started).rejects.toThrow('cancelled');
  await expectNothingOf(request.ref.deploymentId);
});

test('T38: stop and remove takes anonymous volumes and the folder along, twice without an error', async () => {
  const request = lab.request(await lab.scratchImage('VOLUME /data'));
  const container = await lab.start(request);
  const volume = (await inspect(container)).Mounts.find(({ Type }) => Type === 'volume')?.Name ?? '';
  expect(volume).not.toBe('');
  await lab.runner.setRestartPolicy(container.containerId, 'always');
  expect((await inspect(container)).HostConfig.RestartPolicy?.Name).toBe('always');

  await lab.runner.stopAndRemove(container, 5);
  await expectNothingOf(request.ref.deploymentId);
  await expect(lab.docker.getVolume(volume).inspect()).rejects.toMatchObject({ statusCode: 404 });
  await lab.runner.stopAndRemove(container, 5);
  await lab.runner.setRestartPolicy(container.containerId, 'no');
});

const run = promisify(execFile);

test('F16: a container whose removal failed half-way, as a killed daemon or a busy disk leaves it, goes with the next try', async () => {
  const container = await lab.start(lab.request(scratch));
  const { DockerRootDir }: { DockerRootDir: string } = await lab.docker.info();
  const file = join(DockerRootDir, 'containers', container.containerId, 'hostname');
  await run('chattr', ['+i', file]);
  try {
    await expect(lab.runner.stopAndRemove(container, 0)).rejects.toThrow(/unable to remove filesystem/);
    expect((await inspect(container)).State.Status).toBe('dead');
  } finally {
    await run('chattr', ['-i', file]);
  }
  await lab.runner.stopAndRemove(container, 0);
  expect(await lab.runner.state(container.containerId)).toBeNull();
});

test('F52: an app that ignores SIGTERM is killed when its grace is over', async () => {
  const command = shell("trap '' TERM; while :; do /busybox sleep 0.1; done");
  const container = await lab.start(lab.request(scratch, { command }));
  const began = performance.now();
  await lab.runner.stopAndRemove(container, 1);
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(await lab.runner.state(container.containerId)).toBeNull();
});

test('tells the ports an app listens on, and which of them nobody else reaches', async () => {
  const script = '/busybox httpd -p 127.0.0.1:3000; exec /busybox httpd -f -p 9000';
  const container = await lab.start(lab.request(scratch, { command: shell(script) }));
  const ports = await waitUntil('both ports', async () => {
    const found = await lab.runner.listeningPorts(container.containerId);
    return found.length === 2 ? found : null;
  });
  expect(ports).toEqual([
    { port: 3000, loopbackOnly: true },
    { port: 9000, loopbackOnly: false },
  ]);
});

test('counts the connections that an app still has', async () => {
  const request = lab.request(scratch, {
    command: ['/busybox', 'nc', '-ll', '-p', '8080', '-e', '/busybox', 'cat'],
  });
  const container = await lab.start(request);
  await waitUntil(
    'the app to listen',
    async () => (await lab.runner.listeningPorts(container.containerId)).length,
  );
  const client = await lab.start(
    lab.request(scratch, { command: shell(`/busybox sleep 600 | /busybox nc ${request.address} 8080`) }),
  );
  await waitUntil('one connection', async () => (await lab.runner.establishedConnections(container)) === 1);
  await lab.runner.stopAndRemove(client, 0);
  await waitUntil('no connection', async () => (await lab.runner.establishedConnections(container)) === 0);
  await lab.docker.getContainer(container.containerId).stop({ t: 0 });
  expect(await lab.runner.establishedConnections(container)).toBeNull();
});

test('T34: apps of one project reach each other by name, of two projects not at all', async () => {
  const other = lab.randomNetwork();
  await lab.ensureNetwork(other);
  const target = lab.request(scratch);
  await lab.start(target);
  const fetch = (where: string) =>
    shell(`/busybox timeout 3 /busybox nc ${where} 8080 </dev/null && echo reached || echo not reached`);
  const said = async (container: RunningContainer) => {
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    return lab.runner.logTail(container.containerId, 5);
  };
  const neighbour = await lab.start(lab.request(scratch, { command: fetch(target.address) }));
  const stranger = await lab.start(lab.request(scratch, { command: fetch(target.address), network: other }));
  expect(await said(neighbour)).toContain('reached');
  expect(await said(stranger)).toContain('not reached');
});

test('a network is made once though several ask, and its subnet counts as used', async () => {
  const network = lab.randomNetwork();
  await Promise.all([1, 2, 3, 4].map(() => lab.ensureNetwork(network)));
  const found = await lab.docker.listNetworks({ filters: { name: [network.name] } });
  expect(found).toHaveLength(1);
  expect(await lab.runner.usedSubnets()).toContain(network.subnet);
  await expect(lab.ensureNetwork({ ...network, subnet: '10.99.255.0/24' })).rejects.toThrow(network.subnet);
  await lab.runner.removeNetwork(network.name);
  await lab.runner.removeNetwork(network.name);
  expect(await lab.docker.listNetworks({ filters: { name: [network.name] } })).toEqual([]);
});

test('two networks cannot have one subnet', async () => {
  await expect(lab.ensureNetwork({ ...lab.network, name: `${lab.network.name}-b` })).rejects.toMatchObject({
    code: 'internal',
  });
});

test('a nudge starts and ends a container that is not in the list and does not stay', async () => {
  await lab.start(lab.request(scratch));
  const since = Math.floor(Date.now() / 1000);
  const before = await lab.objects.containers();
  await lab.runner.nudgeProxy();
  expect(await lab.objects.containers()).toHaveLength(before.length);
  const events = await lab.docker.getEvents({
    since,
    until: Math.ceil(Date.now() / 1000) + 1,
    filters: { label: ['berth.nudge=true', `berth.instance=${lab.instanceId}`] },
  });
  let text = '';
  for await (const chunk of events) text += String(chunk);
  expect([...text.matchAll(/"Action":"(\w+)"/g)].map(([, action]) => action)).toEqual(
    expect.arrayContaining(['start', 'die', 'destroy']),
  );
});

async function expectNothingOf(deploymentId: string): Promise<void> {
  expect(await lab.objects.containers({ deploymentId })).toEqual([]);
  const folders = await readdir(lab.gateDir);
  expect(folders.filter((name) => name.startsWith(deploymentId))).toEqual([]);
}
