import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryFacts } from '../engine/plan-build.ts';
import type { RepositoryReader } from '../engine/ports.ts';
import { DeploymentFailed, type FailureCode } from '../errors/deployment-failed.ts';

const MAX_MANIFEST_BYTES = 1 << 20;

/** Looks at a checkout without following a link of it: what stands there was written by a stranger. */
export const repositoryReader: RepositoryReader = {
  async read(directory, { rootDirectory, dockerfilePath }) {
    const root = await findFolder(directory, rootDirectory);
    const files = (await readdir(root, { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
    return {
      files,
      packageJson: files.includes('package.json') ? await readManifest(join(root, 'package.json')) : null,
      dockerfileFound: await findDockerfile(root, dockerfilePath ?? 'Dockerfile'),
    } satisfies RepositoryFacts;
  },
};

async function findFolder(directory: string, rootDirectory: string): Promise<string> {
  const code = 'root_directory_missing';
  const kind = await kindOf(directory, partsOf(rootDirectory, code, 'root_directory'));
  if (kind !== 'folder') {
    const found = { file: 'a file', link: 'behind a link', other: 'no folder', missing: 'not there' }[kind];
    throw new DeploymentFailed(code, `The folder ${rootDirectory} is ${found} in this commit.`);
  }
  return join(directory, rootDirectory);
}

async function findDockerfile(root: string, path: string): Promise<boolean> {
  const code = 'dockerfile_invalid';
  const kind = await kindOf(root, partsOf(path, code, 'dockerfile_path'));
  if (kind === 'file') return true;
  if (kind === 'missing') return false;
  const found = { folder: 'a folder', link: 'a link or behind one', other: 'no regular file' }[kind];
  throw new DeploymentFailed(code, `${path} is ${found}; the Dockerfile must be a regular file.`);
}

/** The API refused such paths already; whoever opens files looks again, since rows can be written past it. */
function partsOf(path: string, code: FailureCode, setting: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.length > 255 || path.startsWith('/') || /[\\\p{Cc}]/u.test(path) || parts.includes('..')) {
    throw new DeploymentFailed(code, `The ${setting} must be a relative path inside the repository.`);
  }
  return parts;
}

/** What the path leads to; a link on the way, or at its end, is `link`. */
async function kindOf(
  directory: string,
  parts: readonly string[],
): Promise<'file' | 'folder' | 'link' | 'other' | 'missing'> {
  let path = directory;
  let last: 'file' | 'folder' = 'folder';
  for (const part of parts) {
    if (last !== 'folder') return 'missing';
    path = join(path, part);
    const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENAMETOOLONG') return null;
      throw error;
    });
    if (stats === null) return 'missing';
    if (stats.isSymbolicLink()) return 'link';
    if (stats.isDirectory()) last = 'folder';
    else if (stats.isFile()) last = 'file';
    else return 'other';
  }
  return last;
}

async function readManifest(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > MAX_MANIFEST_BYTES) {
      throw new DeploymentFailed('context_invalid', 'The package.json is larger than 1 MB.');
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
