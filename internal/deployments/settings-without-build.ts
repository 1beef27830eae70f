import { byKey } from '../envvars/env-var.ts';
import type { ReleaseConfig } from './config-snapshot.ts';

/** What containers are run with. Every other setting decides what the image is, so that only a build changes it. */
const OF_CONTAINERS = [
  'startCommand',
  'port',
  'healthCheckPath',
  'replicas',
  'memoryMb',
  'cpus',
  'pidsLimit',
  'drainSeconds',
  'hosts',
] as const satisfies readonly (keyof ReleaseConfig)[];

/**
 * The settings of a release that takes the live one's image: what containers run with is as wanted now, what the image
 * was built from stays as it was, and so stays listed among the pending changes.
 */
export function settingsWithoutBuild(wanted: ReleaseConfig, live: ReleaseConfig): ReleaseConfig {
  const changed = Object.fromEntries(OF_CONTAINERS.map((name) => [name, wanted[name]]));
  const forRuns = wanted.environment.filter(({ scope }) => scope !== 'build');
  const taken = new Set(forRuns.map(({ key }) => key));
  const forBuilds = live.environment.filter(({ scope, key }) => scope === 'build' && !taken.has(key));
  return { ...live, ...changed, environment: [...forRuns, ...forBuilds].sort(byKey) };
}
