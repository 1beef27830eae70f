import type { ImageBuildOptions } from 'dockerode';
import type { Config } from '../config/config.ts';
import type { AttemptRef, BuildLimits, BuildRequest } from '../engine/ports.ts';

/** What the platform allows a build. */
export interface PlatformLimits extends BuildLimits {
  /** What it may send to Docker. */
  readonly contextMaxMb: number;
  /** It ends when less than this is free on Docker's disk. */
  readonly freeDiskMb: number;
}

/** Whether steps are taken from the cache; `pulled`: base images are asked for anew as well. */
export type Freshness = 'cached' | 'uncached' | 'pulled';

/** A build may take half of the room that there had to be for it to begin. */
export function platformLimits(config: Config): PlatformLimits {
  return {
    timeoutSeconds: config.buildTimeoutSeconds,
    silenceSeconds: config.buildSilenceSeconds,
    memoryMb: config.buildMemoryMb,
    cpus: config.buildCpus,
    pids: config.buildPids,
    diskMb: config.buildDiskMb,
    contextMaxMb: config.contextMaxMb,
    freeDiskMb: config.diskFloorMb / 2,
  };
}

export const CPU_PERIOD_MICROSECONDS = 100_000;
/** Where CPUs are short, an app gets sixteen times as much as a step of a build: 1024 is what all else has. */
const CPU_SHARES = 64;

/**
 * Everything that is said to the daemon about a build: a closed set, so that no input can add to it (no host network,
 * no extra hosts, no remote context).
 */
export function buildOptions(build: {
  readonly builder: 'classic' | 'buildkit';
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Name of the Dockerfile inside the context. */
  readonly dockerfile: string;
  /** Those that the Dockerfile declares. */
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly limits: Pick<BuildLimits, 'memoryMb' | 'cpus'>;
  readonly target: string | null;
  readonly fresh: Freshness;
}): ImageBuildOptions {
  const memory = build.limits.memoryMb * 1024 * 1024;
  return {
    t: build.tag,
    dockerfile: build.dockerfile,
    labels: build.labels,
    ...(Object.keys(build.buildArguments).length > 0 && { buildargs: build.buildArguments }),
    ...(build.target !== null && { target: build.target }),
    ...(build.fresh !== 'cached' && { nocache: true }),
    ...(build.fresh === 'pulled' && { pull: true }),
    rm: true,
    // Without it the container of a failed step stays.
    forcerm: true,
    memory,
    memswap: memory,
    cpuperiod: CPU_PERIOD_MICROSECONDS,
    cpushares: CPU_SHARES,
    cpuquota: Math.round(build.limits.cpus * CPU_PERIOD_MICROSECONDS),
    // A number, since for the text '2' dockerode opens a session of its own, which it leaves open on errors.
    ...(build.builder === 'buildkit' && { version: 2 as unknown as '2' }),
  };
}

/** What an app asks for counts as far as the platform allows it. */
export function narrowed(limits: PlatformLimits, wanted: BuildRequest['limits']): PlatformLimits {
  const narrower = (limit: keyof BuildLimits) => Math.min(limits[limit], wanted?.[limit] ?? limits[limit]);
  return {
    ...limits,
    timeoutSeconds: narrower('timeoutSeconds'),
    silenceSeconds: narrower('silenceSeconds'),
    memoryMb: narrower('memoryMb'),
    cpus: narrower('cpus'),
    pids: narrower('pids'),
    diskMb: narrower('diskMb'),
  };
}

/** Whose image it is. */
export function imageLabels(ref: AttemptRef, instanceId: string): Record<string, string> {
  return {
    'berth.instance': instanceId,
    'berth.app': ref.appId,
    'berth.app-name': ref.appName,
    'berth.deployment': ref.deploymentId,
    'berth.attempt': String(ref.attempt),
    'berth.project': ref.projectId,
    'berth.owner': ref.ownerHash,
  };
}

/** What every layer of the app's builds carries: never anything that changes from build to build. */
export function layerLabels(
  { appId }: Pick<AttemptRef, 'appId'>,
  instanceId: string,
): Record<string, string> {
  return { 'berth.instance': instanceId, 'berth.app': appId };
}

const RESERVED_PREFIXES = ['traefik.', 'berth.', 'com.docker.compose.'];

/**
 * Labels of a built image that only the platform may give; sorted. A container inherits its image's labels, so that one
 * of these would make routes, or pass for a container of another app.
 */
export function forbiddenLabels(
  found: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string>>,
): string[] {
  return Object.keys(found)
    .filter((key) => RESERVED_PREFIXES.some((prefix) => key.toLowerCase().startsWith(prefix)))
    .filter((key) => found[key] !== ours[key])
    .sort();
}
