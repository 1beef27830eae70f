import { randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { BuildLab, type LabBuildOptions, type RequestChanges } from '../../test/support/build-lab.ts';
import { RegistryServer, registryLacks } from '../../test/support/registry-server.ts';
import { watchCommandLines } from '../../test/support/secret-search.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { systemClock } from '../clock/clock.ts';
import type { Line } from '../engine/ports.ts';
import { LimitedBuildKit } from './limited-buildkit.ts';

jest.setTimeout(180_000);

const lab = new BuildLab({ limits: { memoryMb: 256 } });
const { docker, instanceId } = lab;
const MB = 1024 * 1024;
/** Out of the context, for the BuildKit of these tests may have no registry to ask. */
const BASE = `FROM scratch AS base
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin`;

beforeEach(() => copyFile('/usr/bin/busybox', join(lab.context, 'busybox')));

afterEach(async () => {
  await lab.emptyContext();
  // No container when no build runs: BuildKit costs no memory then.
  expect(await boxes()).toEqual([]);
});

afterAll(async () => {
  await lab.close();
  const builder = lab.builder({ buildKit: buildKit() });
  for (const appId of ['app1', 'app2', 'app3', 'app3']) await builder.removeCache(appId);
  const filters = { label: [`berth.instance=${instanceId}`] };
  expect((await docker.listVolumes({ filters })).Volumes).toEqual([]);
});

describe('what only BuildKit can build, within the limits', () => {
  test('becomes a labelled image, with its lines', async () => {
    await repository(
      `${BASE}
COPY . /app
COPY --chmod=600 <<END /greeting
hello
END
RUN cat /greeting /app/ünï/datei; find /app -name '*.log'; echo to-stderr >&2; printf 'no line end'
FROM base AS web
COPY --from=base /greeting /greeting
EXPOSE 9090 8080 53/udp
FROM base
RUN echo not-built`,
      { 'ünï/datei': 'not ASCII\n', 'x.log': '', '.dockerignore': '*.log\n' },
    );
    const { image, lines, request } = await build({ target: 'web' });

    expect(image.exposedPorts).toEqual([8080, 9090]);
    const { Config, RepoTags } = await docker.getImage(image.imageId).inspect();
    expect(RepoTags).toEqual([request.tag]);
    expect(Config.Labels).toEqual({
      'berth.instance': instanceId,
      'berth.app': 'app1',
      'berth.app-name': 'web',
      'berth.deployment': request.ref.deploymentId,
      'berth.attempt': '1',
      'berth.project': 'project1',
      'berth.owner': 'abcdef',
    });
    expect(lines).toContainEqual({ text: 'Building with BuildKit, for COPY --chmod, a here-document' });
    expect(lines).toContainEqual({ text: 'to-stderr', stream: 'stderr' });
    expect(lines).toContainEqual({ text: 'no line end', stream: 'stdout' });
    const texts = textsOf(lines);
    expect(texts).toContain('hello');
    expect(texts).toContain('not ASCII');
    expect(texts.filter((text) => text.endsWith('.log') || text === 'not-built')).toEqual([]);
    expect(lines.filter(({ level }) => level === 'deploy').map(({ text }) => text)).toContain(
      '[base 2/5] RUN ["/bin/busybox", "--install", "-s", "/bin"]',
    );
  });

  test('fails with the step and its exit code, or with what BuildKit says', async () => {
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t sh -c 'echo why >&2; exit 7'`);
    const { error, lines } = await buildFails();
    expect(error).toMatchObject({ code: 'build_failed', evidence: { exitCode: 7 } });
    expect(String(error)).toContain(`"RUN --mount=type=tmpfs,target=/t sh -c 'echo why >&2; exit 7'" ended`);
    expect(lines).toContainEqual({ text: 'why', stream: 'stderr' });
    expect(lines.at(-1)).toMatchObject({ level: 'error' });

    await repository('FROM 127.0.0.1:9/missing:1\nRUN --mount=type=tmpfs,target=/t true');
    expect((await buildFails()).error).toMatchObject({ code: 'base_image_unavailable' });

    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t true\nFOO bar`);
    expect(String((await buildFails()).error)).toContain('unknown instruction: FOO');
  });

  test('A9: tells what it keeps: not known while it builds, then as much as lies on the disk; also when it fails', async () => {
    const told: (number | null)[] = [];
    const onCache = async (bytes: number | null) => void told.push(bytes);
    const filled = `${BASE}\nRUN --mount=type=tmpfs,target=/t head -c ${20 * MB} /dev/urandom > /made`;
    await repository(filled);
    await build({ appId: 'app3' }, { onCache });
    await repository(`${filled}\nRUN false`);
    await buildFails({ appId: 'app3' }, { onCache });
    expect(told).toEqual([null, expect.any(Number), null, expect.any(Number)]);
    for (const bytes of [told[1], told[3]]) {
      expect(bytes).toBeGreaterThan(20 * MB);
      expect(bytes).toBeLessThan(200 * MB);
    }
  });

  test('keeps what makes the next build of the app quick, and no other app sees it (T19)', async () => {
    const dockerfile = (command: string) => `${BASE}\nRUN --mount=type=cache,target=/c ${command}`;
    await repository(dockerfile('touch /c/mark'));
    await build();
    await repository(dockerfile('test -e /c/mark'));
    const again = await build();
    expect(textsOf(again.lines)).toContain(
      '[base 2/3] RUN ["/bin/busybox", "--install", "-s", "/bin"] (cached)',
    );
    await repository(dockerfile('test ! -e /c/mark'));
    const anew = await build({ noCache: true });
    expect(textsOf(anew.lines).filter((text) => text.endsWith('(cached)'))).toEqual([]);
    const other = await build({ appId: 'app2' });
    expect(textsOf(other.lines).filter((text) => text.endsWith('(cached)'))).toEqual([]);
  });
});

describe('T21: a build that takes too much', () => {
  test('F25: of memory: its step is killed at the limit', async () => {
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t exec tail /dev/zero`);
    const { error } = await buildFails();
    expect(error).toMatchObject({ code: 'build_out_of_memory', evidence: { outOfMemory: true } });
    expect(String(error)).toContain('may use 256 MB');
  });

  test('F25: of memory, in a process that its step does not care for', async () => {
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t tail /dev/zero || exit 1`);
    expect((await buildFails()).error).toMatchObject({ code: 'build_out_of_memory' });
  });

  test('of processes: there are no more than its limit', async () => {
    await repository(
      `${BASE}\nRUN --mount=type=tmpfs,target=/t i=0; while [ $i -lt 400 ]; do sleep 60 & i=$((i+1)); done; echo all started`,
    );
    const { error, lines } = await buildFails({}, { limits: { pids: 200 } });
    expect(error).toMatchObject({ code: 'build_too_many_processes' });
    expect(textsOf(lines)).not.toContain('all started');
  });

  test('of disk: it ends at what it may write, what the cache held before not counted', async () => {
    const filling = (end: string) =>
      repository(
        `${BASE}\nRUN --mount=type=tmpfs,target=/t i=0; while ${end} && dd if=/dev/zero of=/f$i bs=1M count=8; do i=$((i+1)); sleep 0.1; done`,
      );
    await filling('test $i -lt 10');
    await build({}, { limits: { diskMb: 100 } });
    await filling('test $i -lt 5');
    await build({}, { limits: { diskMb: 64 } });
    await filling('true');
    const { error } = await buildFails({}, { limits: { diskMb: 64 } });
    expect(error).toMatchObject({ code: 'build_disk_exceeded' });
    expect(String(error)).toContain('may write 64 MB');
  });

  test('F29: that says nothing: it ends with its steps', async () => {
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t sleep 4321`);
    const { error } = await buildFails({}, { limits: { silenceSeconds: 5 } });
    expect(error).toMatchObject({ code: 'build_silent' });
  });

  test('F29: of time: it ends with its steps', async () => {
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t sleep 4321`);
    const { error } = await buildFails({}, { limits: { timeoutSeconds: 10 } });
    expect(error).toMatchObject({ code: 'build_timeout' });
  });
});

test('an aborted build rejects with the reason, and is gone', async () => {
  await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t echo begun; sleep 4321`);
  const cancel = new AbortController();
  const reason = new Error('cancelled by a test');
  const lines: Line[] = [];
  const building = build({}, { lines, signal: cancel.signal });
  building.catch(() => undefined);
  await waitUntil('the step runs', async () => textsOf(lines).includes('begun'), {
    timeoutMs: 120_000,
  });
  cancel.abort(reason);
  await expect(building).rejects.toBe(reason);
});

test('T23: secrets and arguments reach the step, and no command line; secrets no layer either', async () => {
  const [secret, argument] = [`canary-${randomBytes(8).toString('hex')}`, `it's "$HOME" \\ ${instanceId}`];
  await repository(
    `ARG GIVEN
${BASE}
ARG GIVEN=default
RUN --mount=type=secret,id=TOKEN --mount=type=secret,id=OTHER_TOKEN,env=OTHER sh -c '\\
  cut -c 1-6 /run/secrets/TOKEN; echo "$OTHER" | cut -c 1-6; echo "given: $GIVEN"; test -z "$UNUSED"'`,
  );
  const watch = watchCommandLines([secret, argument]);
  const secrets = { TOKEN: secret, OTHER_TOKEN: secret, UNUSED: secret };
  const building = build({ buildArguments: { GIVEN: argument }, secrets });
  // Also when it fails: the watch has no end of its own.
  const { found } = await Promise.allSettled([building]).then(() => watch.stop());
  const { image, lines } = await building;
  expect(found).toEqual([]);
  expect(textsOf(lines).filter((text) => text === 'canary')).toHaveLength(2);
  expect(lines).toContainEqual({ text: `given: ${argument}`, stream: 'stdout' });

  const saved = await buffer(await docker.getImage(image.imageId).get());
  expect(saved.includes(secret)).toBe(false);
  expect(JSON.stringify(await docker.getImage(image.imageId).history())).not.toContain(secret);
});

describe('the container of a build', () => {
  test('that a dead worker has left is replaced', async () => {
    const old = await docker.createContainer({
      name: `berth-build-${instanceId}-app1`,
      Image: buildKitImage(),
      Labels: { 'berth.instance': instanceId },
      Entrypoint: ['sleep', '600'],
    });
    await old.start();
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t true`);
    await build();
    await expect(old.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test('that cannot be had: the daemon’s own BuildKit builds, and the log says why', async () => {
    await repository(`${BASE}\nRUN --mount=type=tmpfs,target=/t true`);
    const missing = await build({}, { buildKit: buildKit('127.0.0.1:9/buildkit:missing') });
    expect(missing.lines).toContainEqual({
      level: 'warning',
      text: expect.stringMatching(
        /^Building with BuildKit, for RUN --mount: the memory and CPU limits of builds do not hold there, for the image 127.0.0.1:9\/buildkit:missing cannot be pulled: /,
      ),
    });
    const busybox = await ensureBusyboxImage();
    const broken = await build({}, { buildKit: buildKit(busybox) });
    expect(broken.lines).toContainEqual({
      level: 'warning',
      text: expect.stringContaining('do not hold there, for its container did not start: '),
    });

    await repository(`FROM ${busybox}\nRUN --mount=type=tmpfs,target=/t true`);
    const local = await build();
    expect(local.lines).toContainEqual({
      level: 'warning',
      text: expect.stringContaining(`for ${busybox} is an image that no registry has.`),
    });
  });
});

const withRegistry = registryLacks === null ? test : test.skip;
withRegistry(
  'F47: a base image whose registry is away is taken from the machine, with a warning',
  async () => {
    const base = await pushedAway();
    // Of this run: the daemon's builder would tell nothing of a step that it has in its cache.
    const words = `built on it ${instanceId}`;
    try {
      await repository(`FROM ${base}\nRUN --mount=type=tmpfs,target=/t echo ${words}`);
      const { lines } = await build();
      expect(textsOf(lines)).toContain(words);
      const text = expect.stringContaining(
        'do not hold there, for what it builds on can be had on this machine only.',
      );
      expect(lines).toContainEqual({ level: 'warning', text });
    } finally {
      await docker.getImage(base).remove();
    }
  },
);

/** The name of an image that this machine has of a registry which is no more. */
async function pushedAway(): Promise<string> {
  const registry = await RegistryServer.start();
  try {
    const repo = `${registry.host}/base`;
    await docker.getImage(await ensureBusyboxImage()).tag({ repo, tag: '1' });
    await buffer(await docker.getImage(`${repo}:1`).push({ authconfig: { username: '', password: '' } }));
    return `${repo}:1`;
  } finally {
    await registry.close();
  }
}

function buildKitImage(): string {
  const image = process.env['BERTH_TEST_BUILDKIT_IMAGE'];
  if (image === undefined) throw new Error('Set BERTH_TEST_BUILDKIT_IMAGE, or run the tests by bin/test.');
  return image;
}

function buildKit(image = buildKitImage()): LimitedBuildKit {
  const logger = pino({ level: 'silent' });
  return new LimitedBuildKit({ docker, clock: systemClock, instanceId, image, cacheMaxMb: 100, logger });
}

const repository = (dockerfile: string, files: Readonly<Record<string, string>> = {}) =>
  lab.write({ Dockerfile: `${dockerfile}\n`, ...files });

const build = (changes: RequestChanges = {}, options: LabBuildOptions = {}) =>
  lab.build(changes, { buildKit: buildKit(), ...options });

const buildFails = (changes: RequestChanges = {}, options: LabBuildOptions = {}) =>
  lab.buildFails(changes, { buildKit: buildKit(), ...options });

async function boxes(): Promise<string[]> {
  const filters = { label: [`berth.instance=${instanceId}`] };
  return (await docker.listContainers({ all: true, filters })).flatMap(({ Names }) => Names);
}

function textsOf(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}
