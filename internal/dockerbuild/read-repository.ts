import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryReader } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { kindOfPath, partsOfPath, readRegularFile } from './repository-path.ts';

const MAX_MANIFEST_BYTES = 1 << 20;

/** Looks at a checkout without following a link of it: what stands there was written by a stranger. */
export const repositoryReader: RepositoryReader = {
  async read(directory, { rootDirectory, dockerfilePath }) {
    const root = await findRoot(directory, rootDirectory);
    const files = (await readdir(root, { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
    return {
      files,
      packageJson: files.includes('package.json') ? await readManifest(join(root, 'package.json')) : null,
      dockerfileFound: await hasDockerfile(root, dockerfilePath ?? 'Dockerfile'),
    };
  },
};

/** Whether a regular file stands at that path. @throws DeploymentFailed dockerfile_invalid when something else does */
export async function hasDockerfile(root: string, path: string): Promise<boolean> {
  const parts = partsOfPath(path);
  if (!parts) {
    throw new DeploymentFailed(
      'dockerfile_invalid',
      'The dockerfile_path must be a relative path inside the repository.',
    );
  }
  const kind = await kindOfPath(root, parts);
  if (kind === 'file') return true;
  if (kind === 'missing') return false;
  const found = { folder: 'a folder', link: 'a link or behind one', other: 'no regular file' }[kind];
  throw new DeploymentFailed(
    'dockerfile_invalid',
    `${path} is ${found}; the Dockerfile must be a regular file.`,
  );
}

async function findRoot(directory: string, rootDirectory: string): Promise<string> {
  const code = 'root_directory_missing';
  const parts = partsOfPath(rootDirectory);
  if (!parts)
    throw new DeploymentFailed(code, 'The root_directory must be a relative path inside the repository.');
  const kind = await kindOfPath(directory, parts);
  if (kind !== 'folder') {
    const found = { file: 'a file', link: 'a link or behind one', other: 'no folder', missing: 'missing' }[
      kind
    ];
    throw new DeploymentFailed(code, `The folder ${rootDirectory} is ${found} in this commit.`);
  }
  return join(directory, ...parts);
}

async function readManifest(path: string): Promise<string> {
  const text = await readRegularFile(path, MAX_MANIFEST_BYTES);
  if (text === null) throw new DeploymentFailed('context_invalid', 'The package.json is larger than 1 MB.');
  return text;
}
