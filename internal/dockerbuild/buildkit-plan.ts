import type { ContainerCreateOptions } from 'dockerode';
import type { BuildLimits } from '../engine/ports.ts';
import { CPU_PERIOD_MICROSECONDS, type Freshness } from './build-options.ts';

/** In the container. */
export const CONTEXT_FOLDER = '/context';
/** Beside the context: what stands in it is more than the repository's Dockerfile, and no file of the image. */
export const DOCKERFILE_FOLDER = '/dockerfile';
/** Where `buildkitd` keeps what it has built. */
const CACHE_FOLDER = '/var/lib/buildkit';
/** Variables of `buildctl` itself, such as PATH, are not an app's to set. */
const SECRET_PREFIX = 'BERTH_SECRET_';

/** One volume per app, so that no app sees what another's build has left; and one build of an app at a time. */
export function boxName(instanceId: string, appId: string): string {
  return `berth-build-${instanceId}-${appId}`;
}

/**
 * A container for a `buildkitd` of its own. Mounting file systems and starting containers is what `buildkitd` does, which
 * takes CAP_SYS_ADMIN and no filter of system calls; it is not privileged: it has no device of the host, no path of the
 * host, no open port. The steps of the Dockerfile are containers inside it, with the few capabilities and, in the official
 * image, the filter that any build step has. The limits are those of the container: for all steps and `buildkitd` together.
 */
export function buildKitContainer(box: {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: Pick<BuildLimits, 'memoryMb' | 'cpus' | 'pids' | 'timeoutSeconds'>;
  readonly cgroups: 1 | 2;
}): ContainerCreateOptions & { readonly name: string } {
  const { name, image, labels, limits, cgroups } = box;
  const memory = limits.memoryMb * 1024 * 1024;
  return {
    name,
    Image: image,
    // It ends by itself when a worker that died has left it; `buildkitd` is started in it, when its cgroups are ready.
    Entrypoint: ['sleep', String(limits.timeoutSeconds + 60)],
    Cmd: [],
    WorkingDir: CONTEXT_FOLDER,
    Labels: labels,
    HostConfig: {
      Init: true,
      CapAdd: ['SYS_ADMIN'],
      SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined', 'label=disable'],
      Memory: memory,
      MemorySwap: memory,
      CpuPeriod: CPU_PERIOD_MICROSECONDS,
      CpuQuota: Math.round(limits.cpus * CPU_PERIOD_MICROSECONDS),
      PidsLimit: limits.pids,
      ...(cgroups === 2 && { CgroupnsMode: 'private' }),
      // Should the host itself run out of memory, a build goes before an app does.
      OomScoreAdj: 500,
      Mounts: [
        {
          Type: 'volume',
          Source: name,
          Target: CACHE_FOLDER,
          VolumeOptions: { NoCopy: true, Labels: labels, DriverConfig: { Name: 'local', Options: {} } },
        },
      ],
    },
  };
}

/** Docker mounts a container's own cgroups read-only; `buildkitd` makes one for each step below them. */
export function openCgroupsCommand(cgroups: 1 | 2): string[] {
  const mount = ['mount', '-o', 'remount,bind,rw'];
  if (cgroups === 2) return [...mount, '/sys/fs/cgroup'];
  return [
    'find',
    '/sys/fs/cgroup',
    '-mindepth',
    '1',
    '-maxdepth',
    '1',
    '-type',
    'd',
    '-exec',
    ...mount,
    '{}',
    ';',
  ];
}

export const DAEMON_COMMAND = ['buildkitd'];
/** With version 2 of cgroups `buildkitd` has to move everything out of the topmost one. */
export const DAEMON_ENVIRONMENT = ['BUILDKIT_SETUP_CGROUPV2_ROOT=1'];

export interface BuildKitBuild {
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string | null;
  readonly fresh: Freshness;
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * The build as an argument list. No value of a variable is in it, for everyone on the host can read it: arguments stand in
 * the Dockerfile, secrets in the environment. The finished image comes out of stdout.
 */
export function buildCommand(build: BuildKitBuild): string[] {
  const options = [
    ...(build.target === null ? [] : [`target=${build.target}`]),
    ...Object.entries(build.labels).map(([name, value]) => `label:${name}=${value}`),
  ];
  return [
    'buildctl',
    'build',
    '--frontend=dockerfile.v0',
    `--local=context=${CONTEXT_FOLDER}`,
    `--local=dockerfile=${DOCKERFILE_FOLDER}`,
    '--progress=rawjson',
    // Base images are asked for anew in any case.
    ...(build.fresh === 'cached' ? [] : ['--no-cache']),
    ...options.map((option) => `--opt=${option}`),
    ...Object.keys(build.secrets).map((id) => `--secret=id=${id},env=${SECRET_PREFIX}${id}`),
    `--output=type=docker,name=${build.tag},compression=uncompressed,dest=-`,
  ];
}

export function buildEnvironment({ secrets }: Pick<BuildKitBuild, 'secrets'>): string[] {
  return Object.entries(secrets).map(([id, value]) => `${SECRET_PREFIX}${id}=${value}`);
}

/** Fails at once while `buildkitd` does not answer; `--wait` would look again after seconds only. */
export const READY_COMMAND = ['buildctl', 'debug', 'workers'];

/**
 * Prints KiB and path of what layers and caches hold, those in work included. Not of the packed ones beside them, which
 * every image is made into at the end; and what is mounted of them elsewhere is not counted again.
 */
export const SIZE_COMMAND =
  `find ${CACHE_FOLDER} -maxdepth 2 -type d -name snapshots -exec du -skx {} ;`.split(' ');

/** Prints KiB and path of the whole volume, packed layers included. Files that vanish meanwhile are no failure. */
export const CACHE_SIZE_COMMAND = `find ${CACHE_FOLDER} -maxdepth 0 -exec du -skx {} ;`.split(' ');

/** Takes away what was not used for longest, until the rest of the app's cache is small enough. */
export function trimCommand(maxMegabytes: number): string[] {
  return ['buildctl', 'prune', `--keep-storage=${maxMegabytes}`];
}
