import { type EnvVariable, isForBuild, isForRuntime, mayBeBuildArgument } from '../envvars/env-var.ts';
import type { ReleaseConfig } from './config-snapshot.ts';

type Environment = Pick<ReleaseConfig, 'environment'>;

/** What the containers of a release get. */
export function runtimeEnvironment({ environment }: Environment): Record<string, string> {
  return valuesByKey(environment.filter(isForRuntime));
}

/**
 * What its build may get as arguments, where the Dockerfile declares them. Whoever has the image can read them in its
 * history. A name that means something to Docker's builders is none, whatever the row says (T22).
 */
export function buildArguments({ environment }: Environment): Record<string, string> {
  return valuesByKey(environment.filter(isForBuild).filter(({ key }) => mayBeBuildArgument(key)));
}

/** What its Dockerfile may mount as secrets, by their names: no layer and no history holds one. */
export function buildSecrets({ environment }: Environment): Record<string, string> {
  return valuesByKey(environment);
}

function valuesByKey(variables: readonly EnvVariable[]): Record<string, string> {
  return Object.fromEntries(variables.map(({ key, value }) => [key, value]));
}
