import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import Dockerode from 'dockerode';
import { pino } from 'pino';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { BuildLab } from '../../test/support/build-lab.ts';
import {
  bridgeAddress,
  RegistryServer,
  registryLacks,
  SIGN_IN,
  startFaultyRegistry,
} from '../../test/support/registry-server.ts';
import type { RegistrySettings } from '../config/config.ts';
import type { BuiltImage, Line } from '../engine/ports.ts';
import { Secret } from '../secrets/secret.ts';
import { DockerRegistry } from './docker-registry.ts';

const COMMIT = randomBytes(20).toString('hex');
const credential = { user: SIGN_IN.user, password: new Secret(SIGN_IN.password) };
/** What the operator could read. */
let operatorLog = '';
const logger = pino(
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      operatorLog += chunk.toString();
      done();
    },
  }),
);

const lab = new BuildLab({ logger });
const { docker } = lab;

let busybox = '';
let image: BuiltImage;
const servers: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  busybox = await ensureBusyboxImage();
  image = await build(`FROM ${busybox}\nRUN head -c 3000000 /dev/urandom > /three-megabytes\n`);
}, 120_000);
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  expect(operatorLog).not.toContain(SIGN_IN.password);
});
afterAll(async () => {
  await lab.close();
  // None of the names that pushes gave is in the way of that.
  expect(await lab.builder().list({})).toEqual([]);
}, 120_000);

const real = registryLacks === null ? describe : describe.skip;

real(`a registry${registryLacks === null ? '' : ` (not here: ${registryLacks})`}`, () => {
  test('takes an image by its name, once; a second push finds every layer there', async () => {
    const { host, digestOf } = await registry();
    const { lines } = await push(host);
    expect(await digestOf('abcdef-store/shop', COMMIT)).toMatch(/^sha256:/);
    expect(lines.at(-1)).toMatch(/^Layer \d\/\d: pushed \(\d+\.\d MB\)$/);
    expect((await push(host)).lines.filter((line) => !line.endsWith('is there already'))).toEqual([]);
  }, 60_000);

  test('asks who one is: who signs in may push, and build on its images', async () => {
    const { host, digestOf } = await registry({ signIn: true });
    await push(host, { credential });
    expect(await digestOf('abcdef-store/shop', COMMIT, SIGN_IN)).toMatch(/^sha256:/);

    const base = `${host}/bases/tools:1`;
    await docker.getImage(busybox).tag({ repo: `${host}/bases/tools`, tag: '1' });
    await new DockerRegistry({ docker, registry: settings(host, { credential }), logger }).push(
      { imageId: busybox, name: base },
      { onLine: () => undefined, signal: new AbortController().signal },
    );
    await docker.getImage(base).remove();
    const text = `FROM ${base}\nRUN echo ${COMMIT} > /commit\n`;
    await expect(build(text, settings(host))).rejects.toMatchObject({ code: 'base_image_unavailable' });
    expect(await build(text, settings(host, { credential }))).toMatchObject({ exposedPorts: [] });
    await docker.getImage(base).remove();
  }, 60_000);

  test('T18: whose images the platform has pushed there are no base for an app', async () => {
    const { host } = await registry();
    await push(host);
    const name = `${host}/abcdef-store/shop:${COMMIT}`;
    await expect(build(`FROM ${name}\n`, settings(host))).rejects.toMatchObject({
      code: 'dockerfile_invalid',
    });
  }, 60_000);

  test.each([
    ['nobody', null],
    ['a wrong password', { user: SIGN_IN.user, password: new Secret('canary-wrong') }],
  ])(
    'refuses the sign-in of %s',
    async (_name, wrong) => {
      const { host } = await registry({ signIn: true });
      const failure = await pushFails(host, { credential: wrong });
      expect(failure).toMatchObject({ code: 'registry_push_failed', mayPass: false });
      expect(failure.message).toContain('refuses the sign-in: check REGISTRY_USER and REGISTRY_PASSWORD');
      expect(failure.message).not.toContain('canary-wrong');
    },
    60_000,
  );

  test('speaks plain HTTP where Docker wants a certificate', async () => {
    const { host } = await registry({ address: await bridgeAddress() });
    const failure = await pushFails(host);
    expect(failure).toMatchObject({ code: 'registry_push_failed', mayPass: false });
    expect(failure.message).toContain(`add "${host}" to "insecure-registries"`);
  }, 60_000);

  test('has a certificate of an authority that Docker does not know', async () => {
    const { host } = await registry({ address: await bridgeAddress(), tls: true });
    const failure = await pushFails(host);
    expect(failure).toMatchObject({ code: 'registry_push_failed', mayPass: false });
    expect(failure.message).toContain(`/etc/docker/certs.d/${host}/ca.crt`);
  }, 60_000);

  test('has no space left', async () => {
    const { host } = await registry({ sizeMb: 1 });
    const failure = await pushFails(host);
    expect(failure).toMatchObject({ code: 'registry_push_failed' });
    expect(failure.message).toContain('often its disk is full');
  }, 120_000);
});

describe('what is no registry, or is none any more', () => {
  test('an address where nobody listens may be there a little later', async () => {
    const gone = await startFaultyRegistry(() => undefined);
    await gone.close();
    const failure = await pushFails(gone.host);
    expect(failure).toMatchObject({ code: 'registry_push_failed', mayPass: true });
    expect(failure.message).toContain('cannot be reached from this machine');
  }, 60_000);

  test('one that breaks off may be there a little later', async () => {
    const { host } = await faulty((socket) => socket.destroy());
    expect(await pushFails(host)).toMatchObject({ code: 'registry_push_failed', mayPass: true });
  }, 120_000);

  test('one that never answers is given up in time', async () => {
    const { host } = await faulty(() => undefined);
    const failure = await pushFails(host, { timeoutSeconds: 1 });
    expect(failure).toMatchObject({ code: 'registry_push_failed', mayPass: true });
    expect(failure.message).toContain('within 1 seconds (REGISTRY_TIMEOUT_SECONDS)');
  }, 60_000);

  test('A5: a push that is cancelled ends with the reason, within seconds', async () => {
    let asked: (socket: Socket) => void = () => undefined;
    const connection = new Promise<Socket>((resolve) => {
      asked = resolve;
    });
    const { host } = await faulty((socket) => asked(socket.resume()));
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const settled = expect(push(host, {}, cancel.signal)).rejects.toBe(reason);
    await connection;
    cancel.abort(reason);
    const startedAt = performance.now();
    await settled;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  }, 60_000);

  test('a daemon that is away is no fault of the registry', async () => {
    const away = new Dockerode({ socketPath: join(lab.context, 'no.sock') });
    const pushing = new DockerRegistry({ docker: away, registry: settings('127.0.0.1:5000'), logger }).push(
      { imageId: image.imageId, name: `127.0.0.1:5000/a/b:${COMMIT}` },
      { onLine: () => undefined, signal: new AbortController().signal },
    );
    await expect(pushing).rejects.toMatchObject({ code: 'docker_unavailable' });
  });
});

function settings(host: string, changed: Partial<RegistrySettings> = {}): RegistrySettings {
  return { host, project: null, credential: null, timeoutSeconds: 100, ...changed };
}

async function registry(options: Parameters<typeof RegistryServer.start>[0] = {}) {
  const server = await RegistryServer.start(options);
  servers.push(server);
  const digestOf: RegistryServer['digestOf'] = (...of) => server.digestOf(...of);
  return { host: server.host, digestOf };
}

async function faulty(deed: Parameters<typeof startFaultyRegistry>[0]) {
  const server = await startFaultyRegistry(deed);
  servers.push(server);
  return server;
}

async function push(
  host: string,
  changed: Partial<RegistrySettings> = {},
  signal = new AbortController().signal,
): Promise<{ lines: string[] }> {
  const lines: Line[] = [];
  await new DockerRegistry({ docker, registry: settings(host, changed), logger }).push(
    { imageId: image.imageId, name: `${host}/abcdef-store/shop:${COMMIT}` },
    { onLine: (line) => lines.push(line), signal },
  );
  return { lines: lines.map(({ text }) => text) };
}

async function pushFails(
  host: string,
  changed: Partial<RegistrySettings> = {},
): Promise<{ code: string; message: string; mayPass: boolean }> {
  return push(host, changed).then(
    () => {
      throw new Error('The push was to fail.');
    },
    (error) => error,
  );
}

async function build(text: string, registry: RegistrySettings | null = null): Promise<BuiltImage> {
  await lab.write({ Dockerfile: text });
  return (await lab.build({ appName: 'shop' }, { registry })).image;
}
