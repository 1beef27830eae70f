import { VERSION } from '../config/version.ts';
import type { ReleaseConfig } from '../deployments/config-snapshot.ts';
import { buildArguments } from '../deployments/release-environment.ts';
import type { Job } from './job.ts';
import type { BaseImages } from './plan-build.ts';

/** Which settings can change what is built; the rest limits the build, or says how its image is run. */
const DECIDES_BUILD = {
  repoUrl: true,
  rootDirectory: true,
  dockerfilePath: true,
  dockerTarget: true,
  framework: true,
  buildCommand: true,
  // A Dockerfile that is written names the command and the port.
  startCommand: true,
  port: true,
  outputDirectory: true,
  submodules: true,
  lfs: true,
  // Of it, only what the build gets.
  environment: false,
  buildMemoryMb: false,
  buildTimeoutSeconds: false,
  buildSilenceSeconds: false,
  buildCpus: false,
  buildPids: false,
  buildDiskMb: false,
  releaseCommand: false,
  pidsLimit: false,
  healthCheckPath: false,
  replicas: false,
  memoryMb: false,
  cpus: false,
  drainSeconds: false,
  hosts: false,
} as const satisfies Record<keyof ReleaseConfig, boolean>;

/**
 * Of two deployments of an app with the same key, one build is enough. The digest is keyed, since values of build
 * variables are in it. What the build takes from elsewhere (a base image that has moved, packages) is not.
 */
export function buildKey(
  { config, digest }: Pick<Job, 'config' | 'digest'>,
  baseImages: BaseImages,
  commitSha: string,
): string {
  const settings = Object.entries(config).filter(([name]) => DECIDES_BUILD[name as keyof ReleaseConfig]);
  const inputs = {
    // Another version may write another Dockerfile.
    version: VERSION,
    commitSha,
    settings: sorted(settings),
    arguments: sorted(Object.entries(buildArguments(config))),
    baseImages: sorted(Object.entries(baseImages)),
  };
  return digest(JSON.stringify(inputs));
}

function sorted<T>(entries: readonly (readonly [string, T])[]): readonly (readonly [string, T])[] {
  return entries.toSorted(([one], [other]) => (one < other ? -1 : 1));
}
