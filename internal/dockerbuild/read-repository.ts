import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryFacts, RepositoryReader, WorkspaceFacts, WorkspacePackage } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { kindOfPath, partsOfPath, readRegularFile } from './repository-path.ts';

const MAX_MANIFEST_BYTES = 1 << 20;
const MAX_TEXT_BYTES = 256 * 1024;
/** How far down, and how many, files are listed: enough to see what a repository is. */
const MAX_DEPTH = 3;
const MAX_PATHS = 2_000;
const SKIPPED_FOLDERS = new Set(['node_modules', '.git', 'vendor', '.venv']);

/** Looks at a checkout without following a link of it: what stands there was written by a stranger. */
export const repositoryReader: RepositoryReader = {
  async read(directory, { rootDirectory, dockerfilePath, textsOf }): Promise<RepositoryFacts> {
    const root = await findRoot(directory, rootDirectory);
    const files = await filesIn(root);
    return {
      files,
      paths: (await pathsBelow(root)).sort(),
      packageJson: files.includes('package.json') ? await readManifest(join(root, 'package.json')) : null,
      texts: await readTexts(root, textsOf),
      dockerfileFound: await hasDockerfile(root, dockerfilePath ?? 'Dockerfile'),
      workspace: await findWorkspace(directory, rootDirectory, textsOf),
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

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

/** Level by level, so that what is near the top is seen however much there is below. */
async function pathsBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  let level = [''];
  for (let depth = 0; depth < MAX_DEPTH && found.length < MAX_PATHS; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      if (found.length >= MAX_PATHS) break;
      const entries: Dirent[] = await readdir(join(root, folder), { withFileTypes: true });
      const at = (name: string) => (folder === '' ? name : `${folder}/${name}`);
      found.push(...entries.filter((entry) => entry.isFile()).map(({ name }) => at(name)));
      const folders = entries.filter((entry) => entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name));
      next.push(...folders.map(({ name }) => at(name)));
    }
    level = next;
  }
  return found.slice(0, MAX_PATHS);
}

async function readTexts(root: string, wanted: readonly string[]): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const path of wanted) {
    if ((await kindOfPath(root, path.split('/'))) !== 'file') continue;
    const text = await readRegularFile(join(root, path), MAX_TEXT_BYTES);
    if (text !== null) texts[path] = text;
  }
  return texts;
}

/** Files by which a repository's root says that it is a workspace of several packages. */
const WORKSPACE_FILES = [
  'pnpm-workspace.yaml',
  'pnpm-lock.yaml',
  'yarn.lock',
  'package-lock.json',
  'bun.lock',
];

/** Null unless the root directory is a folder of a workspace, without a lock file of its own. */
async function findWorkspace(
  directory: string,
  rootDirectory: string,
  textsOf: readonly string[],
): Promise<WorkspaceFacts | null> {
  const member = (partsOfPath(rootDirectory) ?? []).join('/');
  // It becomes part of instructions.
  if (member === '' || !/^[\w@./-]+$/.test(member)) return null;
  const files = await filesIn(directory);
  if (!files.includes('package.json')) return null;
  const packageJson = await readManifest(join(directory, 'package.json'));
  const isWorkspace = files.includes('pnpm-workspace.yaml') || /"workspaces"\s*:/.test(packageJson);
  const own = await filesIn(join(directory, member));
  if (!isWorkspace || own.some((name) => WORKSPACE_FILES.includes(name))) return null;
  const texts = await readTexts(directory, textsOf);
  return { member, files, packageJson, texts, packages: await packagesBelow(directory) };
}

const MAX_PACKAGES = 200;
/** Paths become part of instructions, and names of folders of test data may be anything. */
const PACKAGE = /^((?:[\w@-][\w@.-]*\/)+)package\.json$/;

async function packagesBelow(directory: string): Promise<WorkspacePackage[]> {
  const paths = (await pathsBelow(directory)).flatMap((path) => PACKAGE.exec(path)?.[1]?.slice(0, -1) ?? []);
  const found: WorkspacePackage[] = [];
  for (const path of paths.sort().slice(0, MAX_PACKAGES)) {
    const packageJson = await readRegularFile(join(directory, path, 'package.json'), MAX_TEXT_BYTES);
    if (packageJson !== null) found.push({ path, packageJson });
  }
  return found;
}

async function readManifest(path: string): Promise<string> {
  const text = await readRegularFile(path, MAX_MANIFEST_BYTES);
  if (text === null) throw new DeploymentFailed('context_invalid', 'The package.json is larger than 1 MB.');
  return text;
}
