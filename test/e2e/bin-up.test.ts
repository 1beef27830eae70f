import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RunState, readRunState } from '../../internal/host/run-state.ts';
import { ApiClient } from '../support/api-client.ts';
import { DockerObjects } from '../support/docker-objects.ts';
import { freePorts } from '../support/free-ports.ts';
import { httpRequest } from '../support/http-request.ts';
import { networkPool } from '../support/network-pool.ts';
import { waitUntil } from '../support/wait-until.ts';

const run = promisify(execFile);
const CHECKOUT = resolve(import.meta.dirname, '../..');
const START_MS = 300_000;

let dataDir: string;
let environment: Record<string, string>;
let httpPort: number;
let apiPort: number;

beforeAll(async () => {
  dataDir = mkdtempSync('/tmp/berth-up-');
  const [api = 0, fallback = 0, http = 0, traefik = 0, git = 0] = await freePorts(5);
  [apiPort, httpPort] = [api, http];
  environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/root',
    DATA_DIR: dataDir,
    PORT: String(api),
    FALLBACK_PORT: String(fallback),
    HTTP_PORT: String(http),
    TRAEFIK_API_URL: `http://127.0.0.1:${traefik}`,
    SAMPLE_GIT_PORT: String(git),
    TRAEFIK_BINARY: process.env['BERTH_TEST_TRAEFIK'] ?? '',
    NETWORK_POOL: networkPool(),
  };
});

afterAll(async () => {
  await bin('down');
  await new DockerObjects(instance()).removeAll();
  rmSync(dataDir, { recursive: true, force: true });
}, 120_000);

test(
  'bin/up --sample sets everything up and deploys the sample, whose URL answers',
  async () => {
    const up = await bin('up', '--sample', '--detach');
    expect(up).toMatchObject({ code: 0 });
    expect(up.output).toContain(`http://sample.localhost:${httpPort}`);
    expect(up.output).toContain(readToken());
    expect(await sample()).toContain('It runs');
  },
  START_MS,
);

test('the README’s first deployment by curl does what it says, line by line', async () => {
  const readme = readFileSync(join(CHECKOUT, 'README.md'), 'utf8');
  const [, block = ''] = /## A first deployment by curl[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  const script = block
    .replaceAll('/var/lib/berth', dataDir)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${apiPort}`)
    .replaceAll('127.0.0.1:8083', `127.0.0.1:${environment['SAMPLE_GIT_PORT']}`);
  const { stdout } = await run('sh', ['-euc', script], { env: environment, timeout: 90_000 });
  expect(stdout).toContain('event: end');
  expect(stdout).toMatch(/^live$/m);
  expect(stdout).toContain('It runs');
  expect(stdout).toMatch(/"status":"deleting"/);
  const api = new ApiClient(apiPort, readToken());
  await waitUntil('the app to be gone', async () => (await api.apps()).every(({ name }) => name !== 'hello'));
}, 120_000);

test('T49: what is secret was made and is readable by its owner alone', () => {
  for (const name of ['secrets.env', 'admin-token', 'run.json']) {
    expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  }
  expect(statSync(join(dataDir, 'log')).mode & 0o777).toBe(0o700);
});

test('A8: the worker, and what it starts, stands behind apps where the processor is short', () => {
  expect(getPriority(pidOf('worker'))).toBe(5);
  expect(getPriority(pidOf('api'))).toBe(getPriority());
});

test.each(['api', 'worker', 'traefik'])(
  'a killed %s is back at once, and the sample with it',
  async (name) => {
    const before = pidOf(name);
    process.kill(before, 'SIGKILL');
    // Only Traefik stands between the reader and the app.
    if (name !== 'traefik') expect(await sample()).toContain('It runs');
    await waitUntil(`${name} to be started again`, () => (state().processes[name]?.pid ?? before) !== before);
    await waitUntil('the API and the sample to answer', async () => (await isHealthy()) && (await answers()));
  },
  60_000,
);

test('a second bin/up says that it runs, and where, and starts nothing', async () => {
  const before = state();
  const again = await bin('up', '--detach');
  expect(again.code).toBe(0);
  expect(again.output).toContain('is running already');
  expect(again.output).toContain(`http://127.0.0.1:${apiPort}/api/v1`);
  expect(again.output).not.toContain(readToken());
  expect(state()).toEqual(before);
});

test('after a killed supervisor bin/up ends what it left and finds its state again', async () => {
  const left = state();
  const token = readToken();
  const [container] = await new DockerObjects(instance()).containers();
  process.kill(left.supervisor.pid, 'SIGKILL');
  expect(await bin('up', '--detach')).toMatchObject({ code: 0 });
  expect(readToken()).toBe(token);
  const apps = await new ApiClient(apiPort, token).apps();
  expect(apps.map(({ name, status }) => ({ name, status }))).toEqual([{ name: 'sample', status: 'active' }]);
  await waitUntil('the sample to be routed again', answers);
  // The very container of before: only what routes it was started anew.
  expect((await new DockerObjects(instance()).containers()).map(({ id }) => id)).toEqual([container?.id]);
  for (const { pid } of Object.values(left.processes)) expect(processesOfUs()).not.toContain(pid);
}, 120_000);

test(
  'the sample is deployed again from the served repository',
  async () => {
    const [before] = await new DockerObjects(instance()).containers();
    const up = await bin('up', '--sample', '--detach');
    expect(up).toMatchObject({ code: 0 });
    expect(await sample()).toContain('It runs');
    await waitUntil('the previous release to be gone', async () => {
      const running = await new DockerObjects(instance()).containers();
      return running.length === 1 && running[0]?.id !== before?.id;
    });
  },
  START_MS,
);

test('bin/down ends what bin/up started, and the app runs on', async () => {
  const [container] = await new DockerObjects(instance()).containers();
  expect(await bin('down')).toMatchObject({ code: 0 });
  expect(processesOfUs()).toEqual([]);
  expect(readRunState(dataDir)).toBeNull();
  for (const port of [apiPort, httpPort]) {
    await expect(httpRequest({ port, path: '/' })).rejects.toThrow('ECONNREFUSED');
  }
  const [after] = await new DockerObjects(instance()).containers();
  expect({ id: after?.id, running: after?.running }).toEqual({ id: container?.id, running: true });
  expect((await bin('down')).output).toContain('is not running');
}, 120_000);

test.each([
  ['is interrupted while it starts', 'SIGINT', 0, (found: RunState) => !found.ready],
  ['is interrupted', 'SIGINT', 0, (found: RunState) => found.ready],
  ['is killed', 'SIGKILL', null, (found: RunState) => found.ready],
] as const)(
  'in the foreground everything ends when bin/up %s',
  async (_how, signal, code, isTime) => {
    const up = spawn(join(CHECKOUT, 'bin/up'), [], { cwd: CHECKOUT, env: environment, stdio: 'ignore' });
    const ended = once(up, 'exit');
    await waitUntil(
      'the time to end it',
      () => {
        const found = readRunState(dataDir);
        return found !== null && isTime(found);
      },
      { timeoutMs: 60_000 },
    );
    up.kill(signal);
    expect((await ended)[0]).toBe(code);
    await waitUntil('everything to have ended', () => processesOfUs().length === 0, { timeoutMs: 40_000 });
    expect(readRunState(dataDir)).toBeNull();
  },
  120_000,
);

async function bin(name: 'up' | 'down', ...args: string[]): Promise<{ code: number; output: string }> {
  const options = { cwd: CHECKOUT, env: environment, timeout: START_MS };
  try {
    const { stdout, stderr } = await run(join(CHECKOUT, 'bin', name), args, options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: `${stdout}${stderr}` };
  }
}

function state(): RunState {
  const found = readRunState(dataDir);
  if (found === null) throw new Error('run.json is not there');
  return found;
}

function pidOf(name: string): number {
  const pid = state().processes[name]?.pid;
  if (pid === undefined) throw new Error(`${name} is not running`);
  return pid;
}

function instance(): string {
  return readFileSync(join(dataDir, 'instance'), 'utf8').trim();
}

function readToken(): string {
  return readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
}

async function sample(): Promise<string> {
  return (await httpRequest({ port: httpPort, path: '/', host: `sample.localhost:${httpPort}` })).body;
}

function answers(): Promise<boolean> {
  return sample().then(
    (body) => body.includes('It runs'),
    () => false,
  );
}

function isHealthy(): Promise<boolean> {
  return httpRequest({ port: apiPort, path: '/health' }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** Every process whose arguments or environment name our DATA_DIR (Linux). */
function processesOfUs(): number[] {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => `${read(pid, 'cmdline')}${read(pid, 'environ')}`.includes(dataDir))
    .map(Number);
}
