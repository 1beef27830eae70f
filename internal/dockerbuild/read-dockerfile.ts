import { join, posix } from 'node:path';
import type { RegistrySettings } from '../config/config.ts';
import type { BuildRequest } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { checkDockerfile, declaredArguments } from './dockerfile-rules.ts';
import type { NamedDockerfile } from './plan-builder.ts';
import { hasDockerfile } from './read-repository.ts';
import { readRegularFile } from './repository-path.ts';

/** The Dockerfile of a build, checked. @throws DeploymentFailed dockerfile_missing, dockerfile_invalid, … */
export async function readDockerfile(
  request: BuildRequest,
  registry: RegistrySettings | null,
): Promise<NamedDockerfile> {
  const { dockerfile, contextDirectory, ref, buildArguments } = request;
  if ('generated' in dockerfile) {
    const text = dockerfile.generated;
    return {
      name: null,
      text,
      needsBuildKit: [],
      declaredArguments: declaredArguments(text),
      secretIds: new Set(),
      baseImages: new Set(),
    };
  }
  const { path } = dockerfile;
  const found = await hasDockerfile(contextDirectory, path);
  const text = found ? await readRegularFile(join(contextDirectory, path), 1 << 20) : null;
  if (text === null) {
    throw found
      ? new DeploymentFailed('dockerfile_invalid', `The file ${path} is larger than 1 MB.`)
      : new DeploymentFailed('dockerfile_missing', `There is no file ${path}.`);
  }
  const checked = checkDockerfile(text, { appId: ref.appId, buildArguments, registry });
  return { ...checked, name: posix.normalize(path) };
}

/** Docker warns of each argument that no ARG declares; and what is not said cannot leak. */
export function splitArguments(
  given: BuildRequest['buildArguments'],
  declared: ReadonlySet<string>,
): { declared: Record<string, string>; unused: string[] } {
  const entries = Object.entries(given);
  return {
    declared: Object.fromEntries(entries.filter(([name]) => declared.has(name))),
    unused: entries.map(([name]) => name).filter((name) => !declared.has(name)),
  };
}

/** Only those that the Dockerfile mounts leave the worker. */
export function secretsAmong(
  given: Readonly<Record<string, string>>,
  wanted: ReadonlySet<string>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([id]) => wanted.has(id)));
}
