import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApiClient } from '../support/api-client.ts';
import { ComposeProject } from '../support/compose-project.ts';
import { DaemonSocket } from '../support/daemon-socket.ts';
import { DockerObjects } from '../support/docker-objects.ts';
import type { RepositoryFiles } from '../support/fixture-apps.ts';
import { freePorts } from '../support/free-ports.ts';
import { httpRequest } from '../support/http-request.ts';
import { networkPool } from '../support/network-pool.ts';
import {
  ensurePlatformBaseImage,
  ensurePostgresImage,
  ensureTraefikImage,
} from '../support/stand-in-images.ts';
import { TestGit } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The compose way, whole: the real plugin, our Dockerfile and docker-compose.yml as they are, images that stand in. */

const SERVICES = ['api', 'worker', 'postgres', 'traefik'] as const;
const SECRETS = ['POSTGRES_PASSWORD', 'ENCRYPTION_KEY', 'SESSION_SECRET'];
const START_MS = 400_000;

let project: ComposeProject;
let git: TestGit;
let daemonSocket: DaemonSocket;
let dataDir: string;
let image: string;
let port: { api: number; fallback: number; http: number; traefik: number };
let api: ApiClient;
let appId: string;

beforeAll(async () => {
  const run = randomBytes(4).toString('hex');
  project = new ComposeProject({ name: `berth-test-${run}`, folder: mkdtempSync('/tmp/berth-compose-') });
  dataDir = mkdtempSync('/tmp/berth-compose-data-');
  image = `berth-test/platform:${run}`;
  git = await TestGit.start();
  daemonSocket = await DaemonSocket.start();
  const [apiPort = 0, fallback = 0, http = 0, traefik = 0] = await freePorts(4);
  port = { api: apiPort, fallback, http, traefik };
}, 60_000);

afterAll(async () => {
  await git.close();
  await project.run('down', '--volumes', '--remove-orphans');
  if (existsSync(join(dataDir, 'instance'))) await new DockerObjects(instance()).removeAll();
  await project.docker
    .getImage(image)
    .remove({ force: true })
    .catch(() => undefined);
  await daemonSocket.close();
  for (const folder of [dataDir, project.folder]) rmSync(folder, { recursive: true, force: true });
}, 120_000);

test('T49: without its secrets it refuses to start, and names each', async () => {
  const none = await project.run('up', '-d');
  expect(none.code).not.toBe(0);
  for (const name of [...SECRETS, 'bin/secrets > .env']) expect(none.output).toContain(name);

  await project.makeSecrets();
  const made = readFileSync(project.envFile, 'utf8');
  for (const name of SECRETS) {
    writeFileSync(project.envFile, made.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=`));
    const { code, output } = await project.run('config', '--quiet');
    expect([name, code]).not.toEqual([name, 0]);
    expect(output).toContain(`required variable ${name} is missing a value`);
  }
  writeFileSync(project.envFile, made);
  expect(statSync(project.envFile).mode & 0o777).toBe(0o600);
  expect(await project.must('config', '--quiet')).toBe('');
  expect(await project.left()).toEqual([]);
});

test(
  'docker compose up builds the platform and starts it, all four services healthy',
  async () => {
    const base = await ensurePlatformBaseImage();
    const settings = {
      NODE_IMAGE: base,
      POSTGRES_IMAGE: await ensurePostgresImage(),
      TRAEFIK_IMAGE: await ensureTraefikImage(process.env['BERTH_TEST_TRAEFIK'] ?? ''),
      BERTH_IMAGE: image,
      DATA_DIR: dataDir,
      DOCKER_SOCKET_DIR: daemonSocket.folder,
      PORT: port.api,
      FALLBACK_PORT: port.fallback,
      HTTP_PORT: port.http,
      TRAEFIK_API_URL: `http://127.0.0.1:${port.traefik}`,
      GIT_PRIVATE_HOSTS: git.host,
      // What a worker held that went together with its database is free again after this.
      LEASE_SECONDS: 5,
      NETWORK_POOL: networkPool(),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    appendFileSync(project.envFile, lines.join(''));
    await project.must('up', '-d', '--build', '--wait');
    for (const service of SERVICES) {
      expect([service, (await project.container(service)).State.Health?.Status]).toEqual([
        service,
        'healthy',
      ]);
    }
    const token = await project.must('exec', '-T', 'api', 'cat', '/var/lib/berth/admin-token');
    api = new ApiClient(port.api, token.trim());
    expect(await api.apps()).toEqual([]);
    // Files that are no code of ours are in the image too.
    expect((await httpRequest({ port: port.api, path: '/docs/swagger-ui.css' })).status).toBe(200);
  },
  START_MS,
);

test('T39: each service is restarted, checked, and its log is capped', async () => {
  for (const service of SERVICES) {
    const { HostConfig, Config } = await project.container(service);
    expect(HostConfig.RestartPolicy?.Name).toBe('always');
    expect(HostConfig.LogConfig?.Config).toEqual({ 'max-size': '10m', 'max-file': '3' });
    expect(Config.Healthcheck?.Test?.[0]).toMatch(/^CMD/);
  }
});

test('T33: the API has no Docker socket, is not root and has a network with nobody but Postgres', async () => {
  const { Mounts, Config, HostConfig, NetworkSettings } = await project.container('api');
  expect(Mounts.map(({ Destination }) => Destination)).toEqual(['/var/lib/berth']);
  expect(Config.User).toBe('node');
  expect(HostConfig.ReadonlyRootfs).toBe(true);
  expect(HostConfig.CapDrop).toEqual(['ALL']);
  expect(Object.keys(NetworkSettings.Networks)).toEqual([`${project.name}_control`]);

  const network = await project.docker.getNetwork(`${project.name}_control`).inspect();
  const members: { Name: string }[] = Object.values(network.Containers ?? {});
  expect(members.map(({ Name }) => Name).sort()).toEqual([
    `${project.name}-api-1`,
    `${project.name}-postgres-1`,
  ]);
});

test('only loopback of the host reaches the API, and nothing of it Postgres', async () => {
  const published = Object.values((await project.container('api')).NetworkSettings.Ports).flatMap(
    (bindings) => bindings ?? [],
  );
  expect(published.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`).sort()).toEqual(
    [`127.0.0.1:${port.api}`, `127.0.0.1:${port.fallback}`].sort(),
  );
  const { NetworkSettings } = await project.container('postgres');
  expect(Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? [])).toEqual([]);
  for (const service of ['worker', 'traefik']) {
    expect((await project.container(service)).HostConfig.NetworkMode).toBe('host');
  }
});

test('the database asks whoever reaches its socket for the password', async () => {
  const { output } = await project.run(
    'exec',
    '-T',
    'postgres',
    'sh',
    '-c',
    'cat /var/lib/postgresql/18/docker/pg_hba.conf',
  );
  expect(output).toMatch(/^local\s+all\s+all\s+scram-sha-256/m);
  expect(output).not.toMatch(/^[^#\n]*\btrust\b/m);
});

test(
  'it deploys the sample, which answers through Traefik',
  async () => {
    const { url } = await git.createRepository('sample', readSample());
    const app = await api.createApp({
      name: 'sample',
      repo_url: url,
      branch: 'main',
      port: 3000,
      health_check_path: '/health',
    });
    appId = app.id;
    const [first] = await api.deployments(appId);
    await untilLive(first?.id ?? '');
    expect((await ask('sample.localhost')).body).toContain('It runs');
  },
  START_MS,
);

test('A17: the platform is routed at its host, and a host of nobody gets our own page', async () => {
  expect((await ask('berth.localhost', '/health')).status).toBe(200);
  const unknown = await ask('nobody.localhost');
  expect(unknown.status).toBe(404);
  expect(unknown.body).toContain('No app has this address.');
});

test('T53: who asks is whom Traefik has seen; what a client says before it counts for nothing', async () => {
  const ask25 = async (options: { port: number; host?: string }) => {
    const statuses: number[] = [];
    for (let index = 0; index < 25; index += 1) {
      const headers = { authorization: 'Bearer wrong', 'x-forwarded-for': `203.0.113.${index}` };
      statuses.push((await httpRequest({ ...options, path: '/api/v1/apps', headers })).status);
    }
    return statuses;
  };
  const limit = 20;
  const through = await ask25({ port: port.http, host: 'berth.localhost' });
  expect(through).toEqual([...Array(limit).fill(401), ...Array(25 - limit).fill(429)]);
  // What runs on this host comes in by the same gateway as Traefik, and may say whom it asks for.
  expect(new Set(await ask25({ port: port.api }))).toEqual(new Set([401]));
});

test(
  'F48: restarting API, worker and Postgres loses no request of the app and nothing that was stored',
  async () => {
    const before = await new DockerObjects(instance()).containers();
    const load = startLoad();
    await project.must('restart', 'api', 'worker', 'postgres');
    await waitUntil(
      'the API to answer again',
      async () => (await ask('berth.localhost', '/health')).status === 200,
    );
    for (const name of ['api', 'worker']) {
      await waitUntil(
        `${name} to be healthy`,
        async () => (await project.container(name)).State.Health?.Status === 'healthy',
      );
    }
    const { answered, failed } = await load.end();
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(20);

    const apps = await api.apps();
    expect(apps.map(({ name, status }) => ({ name, status }))).toEqual([
      { name: 'sample', status: 'active' },
    ]);
    const after = await new DockerObjects(instance()).containers();
    expect(after.map(({ id, startedAt }) => [id, startedAt])).toEqual(
      before.map(({ id, startedAt }) => [id, startedAt]),
    );
    await untilLive((await api.deploy(appId)).id);
  },
  START_MS,
);

test(
  'F17: an update of Docker puts a new socket in the place of the old one; worker and Traefik go on with that',
  async () => {
    const { StartedAt } = (await project.container('worker')).State;
    await daemonSocket.replace();
    await untilLive((await api.deploy(appId)).id);
    expect((await ask('sample.localhost')).status).toBe(200);
    expect((await project.container('worker')).State.StartedAt).toBe(StartedAt);
  },
  START_MS,
);

test('docker run starts the API from the same image and settings; a program that is not there is named', async () => {
  const { POSTGRES_PASSWORD, ...others } = project.env();
  const settings = {
    ...others,
    DATABASE_URL: `postgresql://berth:${POSTGRES_PASSWORD}@postgres:5432/berth`,
    PORT: '8080',
    DATA_DIR: '',
    API_ADDRESS: '',
  };
  const create = (command: string[]) =>
    project.docker.createContainer({
      Image: image,
      Cmd: command,
      Env: Object.entries(settings).map(([name, value]) => `${name}=${value ?? ''}`),
      Labels: { 'berth.instance': instance() },
      HostConfig: {
        NetworkMode: `${project.name}_control`,
        PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      },
    });
  const container = await create([]);
  const wrong = await create(['wroker']);
  try {
    await container.start();
    const { NetworkSettings } = await container.inspect();
    const published = Number(NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort);
    await waitUntil(
      'the API to answer',
      () =>
        httpRequest({ port: published, path: '/health' }).then(
          ({ status }) => status === 200,
          () => false,
        ),
      { explain: async () => String(await container.logs({ stdout: true, stderr: true })) },
    );
    await wrong.start();
    expect(await wrong.wait()).toMatchObject({ StatusCode: 64 });
    const said = await wrong.logs({ stderr: true });
    expect(said.toString()).toContain('There is no program wroker; choose of: api, worker, migrate');
  } finally {
    for (const made of [container, wrong]) await made.remove({ force: true, v: true });
  }
}, 60_000);

test('docker compose down -v leaves nothing; the app itself runs on until it is removed', async () => {
  await project.must('down', '--volumes');
  expect(await project.left()).toEqual([]);
  const apps = new DockerObjects(instance());
  expect((await apps.containers()).filter(({ running }) => running)).not.toEqual([]);
  await apps.removeAll();
  expect(await apps.describeAll()).toEqual([]);
}, 120_000);

function instance(): string {
  return readFileSync(join(dataDir, 'instance'), 'utf8').trim();
}

function readSample(): RepositoryFiles {
  const folder = resolve(import.meta.dirname, '../../sample');
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

function ask(host: string, path = '/') {
  return httpRequest({ port: port.http, host, path });
}

async function untilLive(deploymentId: string): Promise<void> {
  await waitUntil(
    `deployment ${deploymentId} to be live`,
    async () => {
      const { status, failure_reason } = await api.deployment(deploymentId);
      if (status === 'failed') throw new Error(`it failed: ${failure_reason}`);
      return status === 'live';
    },
    {
      timeoutMs: 120_000,
      intervalMs: 200,
      explain: async () => (await project.run('logs', '--tail', '50', 'worker')).output,
    },
  );
}

/** Asks the sample again and again, one request at a time. */
function startLoad() {
  const failed: string[] = [];
  let answered = 0;
  let ended = false;
  const running = (async () => {
    while (!ended) {
      const how = await ask('sample.localhost').then(({ status }) => String(status), String);
      if (how === '200') answered += 1;
      else failed.push(how);
      await delay(20);
    }
  })();
  return {
    async end() {
      ended = true;
      await running;
      return { answered, failed };
    },
  };
}
