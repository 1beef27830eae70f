import { z } from 'zod';
import { frameworkChoice } from '../apps/framework.ts';
import type { App } from '../db/database.ts';
import { EnvScope } from '../db/generated/enums.ts';
import type { EnvVariable } from '../envvars/env-var.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';

const variableSchema = z.strictObject({ key: z.string(), value: z.string(), scope: z.enum(EnvScope) });

/** By key, each with its scope. A list, since `__proto__` is a good name for a variable and a bad one for a field. */
const environmentSchema = z.union([
  z.array(variableSchema),
  // As the first snapshots hold it: without scopes, all of it for run time.
  z
    .record(z.string(), z.string())
    .transform((values) =>
      Object.entries(values).map(([key, value]) => ({ key, value, scope: EnvScope.runtime })),
    ),
]);

/** All that decides how a release is built and run, as it was when the deployment was asked for. */
const releaseConfigSchema = z.strictObject({
  repoUrl: z.string(),
  rootDirectory: z.string(),
  dockerfilePath: z.string().nullable(),
  buildCommand: z.string().nullable(),
  startCommand: z.string().nullable(),
  // Those with a default are not in the first snapshots.
  framework: frameworkChoice.default('auto'),
  outputDirectory: z.string().nullable().default(null),
  dockerTarget: z.string().nullable().default(null),
  releaseCommand: z.string().nullable().default(null),
  submodules: z.boolean().default(false),
  lfs: z.boolean().default(false),
  pidsLimit: z.int().default(512),
  buildMemoryMb: z.int().nullable().default(null),
  buildTimeoutSeconds: z.int().nullable().default(null),
  buildSilenceSeconds: z.int().nullable().default(null),
  buildCpus: z.number().nullable().default(null),
  buildPids: z.int().nullable().default(null),
  buildDiskMb: z.int().nullable().default(null),
  port: z.int().nullable(),
  healthCheckPath: z.string().nullable(),
  replicas: z.int(),
  memoryMb: z.int(),
  cpus: z.number(),
  drainSeconds: z.int(),
  hosts: z.array(z.string()).readonly(),
  environment: environmentSchema.readonly(),
});

export type ReleaseConfig = Readonly<z.infer<typeof releaseConfigSchema>>;

/** The app's present settings as a release would take them. */
export function releaseConfigOf(
  app: App,
  hosts: readonly string[],
  environment: readonly EnvVariable[],
): ReleaseConfig {
  return {
    repoUrl: app.repoUrl,
    rootDirectory: app.rootDirectory,
    dockerfilePath: app.dockerfilePath,
    buildCommand: app.buildCommand,
    startCommand: app.startCommand,
    framework: frameworkChoice.catch('auto').parse(app.framework),
    outputDirectory: app.outputDirectory,
    dockerTarget: app.dockerTarget,
    releaseCommand: app.releaseCommand,
    submodules: app.submodules,
    lfs: app.lfs,
    pidsLimit: app.pidsLimit,
    buildMemoryMb: app.buildMemoryMb,
    buildTimeoutSeconds: app.buildTimeoutSeconds,
    buildSilenceSeconds: app.buildSilenceSeconds,
    buildCpus: app.buildCpus,
    buildPids: app.buildPids,
    buildDiskMb: app.buildDiskMb,
    port: app.port,
    healthCheckPath: app.healthCheckPath,
    replicas: app.replicas,
    memoryMb: app.memoryMb,
    cpus: app.cpus,
    drainSeconds: app.drainSeconds,
    hosts: hosts.toSorted(),
    environment: environment.map(({ key, value, scope }) => ({ key, value, scope })),
  };
}

/** Bound to its row, so that a snapshot moved to another deployment does not open. */
const contextOf = (deploymentId: string) => sealContext('deployments.config_snapshot', deploymentId);

export function sealSnapshot(
  box: SealedBox,
  deploymentId: string,
  config: ReleaseConfig,
): Uint8Array<ArrayBuffer> {
  return box.seal(JSON.stringify(config), contextOf(deploymentId));
}

/** @throws when the key or the row is another, or the bytes were changed. */
export function openSnapshot(box: SealedBox, deploymentId: string, sealed: Uint8Array): ReleaseConfig {
  return releaseConfigSchema.parse(JSON.parse(box.open(sealed, contextOf(deploymentId))));
}

/**
 * Names of the settings (snake_case, as in the API) that differ. Of an environment anything will do that is the same
 * only where its variables are.
 */
export function changedSettings(
  wanted: Readonly<Record<keyof ReleaseConfig, unknown>>,
  live: Readonly<Record<keyof ReleaseConfig, unknown>>,
): string[] {
  const names = Object.keys(releaseConfigSchema.shape) as (keyof ReleaseConfig)[];
  return names
    .filter((name) => !isSame(wanted[name], live[name]))
    .map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** Most settings are plain values, and lists of apps compare thousands of them. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(other));
}
