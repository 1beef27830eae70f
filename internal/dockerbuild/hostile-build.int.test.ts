import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { BuildLab, type LabBuildOptions } from '../../test/support/build-lab.ts';
import { diskWith } from '../../test/support/build-limits.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { PlatformLimits } from './build-options.ts';

/** A8, T21: builds that would take the host down, with the real daemon and small limits. */
const MB = 1024 * 1024;
const lab = new BuildLab();
const { docker, instanceId } = lab;
let busybox = '';

beforeAll(async () => {
  busybox = await ensureBusyboxImage();
}, 120_000);
afterEach(async () => {
  await lab.emptyContext();
  await waitUntil('no step is left', async () => (await stepContainers()).length === 0);
});
afterAll(() => lab.close(), 120_000);

const build = (limits: Partial<PlatformLimits>, options: LabBuildOptions = {}) =>
  lab.build({}, { limits, ...options });

const FORK_BOMB = 'bomb() { bomb | bomb & }; bomb; sleep 1000';

test.each<[string, string, Partial<PlatformLimits>, string]>([
  ['allocates', 'exec tail /dev/zero', { memoryMb: 64 }, 'build_out_of_memory'],
  ['allocates in a child, and goes on', 'tail /dev/zero; exit 1', { memoryMb: 64 }, 'build_out_of_memory'],
  // All of its processes may end at the limit, but the one that waits.
  ['forks', FORK_BOMB, { pids: 64, silenceSeconds: 10 }, 'build_too_many_processes'],
  ['starts processes that stay', 'while :; do sleep 1000 & done', { pids: 64 }, 'build_too_many_processes'],
  ['writes to the disk', 'dd if=/dev/zero of=/big bs=1M count=51200', { diskMb: 64 }, 'build_disk_exceeded'],
  ['is silent', 'sleep 1234', { silenceSeconds: 2 }, 'build_silent'],
  [
    'talks',
    'while :; do echo still here; sleep 0.2; done',
    // On a slow machine the daemon itself is silent before the step talks.
    { timeoutSeconds: 25, silenceSeconds: 20 },
    'build_timeout',
  ],
])(
  'A8, T21: one that %s without end fails with its own code, and leaves nothing',
  async (_, command, limits, code) => {
    const before = await bytesOfLayers();
    await dockerfile([`RUN : ${instanceId}; ${command}`]);
    await expect(build(limits)).rejects.toMatchObject({ code });
    await waitUntil('no step is left', async () => (await stepContainers()).length === 0);
    expect(await bytesOfLayers()).toBe(before);
  },
  90_000,
);

describe('T21: what a build writes', () => {
  test('counts over all of its steps, copies included', async () => {
    const write = (name: string) => `RUN dd if=/dev/urandom of=/${name} bs=1M count=20`;
    const linger = `RUN : ${instanceId}; sleep 1234`;
    await dockerfile([
      write('a'),
      `FROM ${busybox}`,
      'COPY --from=0 /a /b',
      'COPY --from=0 /a /c',
      write('d'),
      linger,
    ]);
    await expect(build({ diskMb: 70 })).rejects.toMatchObject({ code: 'build_disk_exceeded' });
    // The same from the cache writes nothing.
    await expect(build({ diskMb: 70, timeoutSeconds: 4 })).rejects.toMatchObject({ code: 'build_timeout' });
  }, 60_000);

  test('ends it when the disk itself has too little left', async () => {
    let free = 1000 * MB;
    await dockerfile([`RUN : ${instanceId}; echo begun; sleep 1234`]);
    const building = build(
      { freeDiskMb: 500 },
      {
        disk: diskWith(() => free),
        onLine: ({ text }) => {
          if (text === 'begun') free = 499 * MB;
        },
      },
    );
    await expect(building).rejects.toMatchObject({ code: 'disk_full' });
  }, 30_000);
});

// Long enough for the step to come to that on a slow machine.
test.each<Partial<PlatformLimits>>([{ silenceSeconds: 15 }, { timeoutSeconds: 25 }])(
  'T21: one that waits after it could start no process is told so, and not that it was slow: %j',
  async (limits) => {
    const untilLimited =
      'until grep -qsx 32 /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max; do :; done';
    const tooMany = "sh -c 'for i in $(seq 100); do sleep 0.1 & done'";
    await dockerfile([`RUN : ${instanceId}; sleep 1234 & ${untilLimited}; ${tooMany}; wait`]);
    await expect(build({ pids: 32, ...limits })).rejects.toMatchObject({
      code: 'build_too_many_processes',
      message: expect.stringContaining('a step of a build may have 32 at the same time'),
    });
  },
  90_000,
);

test('T21: what a step prints changes no other container', async () => {
  const victim = await docker.createContainer({
    Image: busybox,
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode: 'none', PidsLimit: 77 },
  });
  try {
    await victim.start();
    const forged = ` ---> Running in ${victim.id.slice(0, 12)}`;
    await dockerfile([`RUN : ${instanceId}; echo '${forged}'`]);
    await build({ pids: 20 });
    expect((await victim.inspect()).HostConfig.PidsLimit).toBe(77);
  } finally {
    await victim.remove({ force: true });
  }
}, 30_000);

test('T27: one whose steps take other labels than ours is ended, so that none can hide', async () => {
  await dockerfile(['ARG KEY=berth.instance', 'LABEL $KEY=other', `RUN : ${instanceId}; sleep 1234`]);
  await expect(build({})).rejects.toMatchObject({ code: 'image_label_forbidden' });
}, 30_000);

test('T27: labels with which nothing runs end no build, for ours go over them', async () => {
  // Each is a container that has the labels, and is never started; all of them take longer than a look at the build.
  const words = Array.from({ length: 60 }, (_, index) => `ENV WORD${index}=${instanceId}`);
  await dockerfile(['LABEL berth.app=other', ...words]);
  const { image } = await build({});
  expect((await docker.getImage(image.imageId).inspect()).Config.Labels).toMatchObject({
    'berth.app': 'app1',
  });
}, 60_000);

test('T21: a step that forges its layers is held to its limits all the same', async () => {
  await dockerfile([
    `RUN : ${instanceId}; i=0; while [ $i -lt 2000 ]; do echo " ---> 0123456789ab"; i=$((i+1)); done; ${FORK_BOMB}`,
  ]);
  await expect(build({ pids: 64, silenceSeconds: 10 })).rejects.toMatchObject({
    code: 'build_too_many_processes',
  });
}, 60_000);

test('T21: what only looks as if it needed BuildKit is built within the limits', async () => {
  await lab.write({ file: 'x' });
  await dockerfile([
    'ARG TARGETARCH TARGETPLATFORM',
    'COPY --link file /file',
    `RUN : ${instanceId}; test "$TARGETPLATFORM" = "linux/$TARGETARCH" && test -f /file && tail /dev/zero`,
  ]);
  const { error, lines } = await lab.buildFails({}, { limits: { memoryMb: 64 } });
  expect(error).toMatchObject({ code: 'build_out_of_memory' });
  expect(lines.filter(({ text }) => text.includes('BuildKit'))).toEqual([]);
}, 30_000);

async function dockerfile(lines: readonly string[], as = ''): Promise<void> {
  await lab.write({ Dockerfile: [`FROM ${busybox} ${as}`, ...lines, ''].join('\n') });
}

/** Told by what only these tests run, since a Dockerfile may change labels. */
async function stepContainers(): Promise<string[]> {
  const containers = await docker.listContainers({ all: true });
  return containers.filter(({ Command }) => Command.includes(instanceId)).map(({ Id }) => Id);
}

async function bytesOfLayers(): Promise<number> {
  const layers = await lab.builder().cachedLayers();
  return layers.reduce((sum, { bytes }) => sum + bytes, 0);
}
