import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type GitHttpServer, startGitHttpServer } from '../../internal/host/git-http-server.ts';

/** Text or bytes of a file, a symbolic link, a submodule's commit, a folder by its tree, or null: removed by this commit. */
export type FileContent =
  | string
  | Buffer
  | { readonly link: string }
  | { readonly submodule: string }
  | { readonly tree: string }
  | { readonly executable: string }
  | null;
export type Files = Readonly<Record<string, FileContent>>;

export interface GitRepository {
  /** The folder to serve. */
  readonly folder: string;
  /** Of the bare repository in that folder. */
  readonly name: string;
  readonly directory: string;
  /** Adds a commit on top of the branch (a new branch starts from `main`) and returns its id. */
  commit(files: Files, message: string, branch?: string): Promise<string>;
  /** The branch's commit. */
  head(branch?: string): Promise<string>;
  git(...args: string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Makes a bare repository in a new temporary folder, or in `folder`. Without files it is empty. */
export async function createGitRepository(
  files: Files = {},
  { folder, name = 'app.git' }: { folder?: string; name?: string } = {},
): Promise<GitRepository> {
  const parent = folder ?? (await mkdtemp(join(tmpdir(), 'berth-git-')));
  const directory = join(parent, name);
  await git(dirname(directory), 'init', '--quiet', '--bare', '--initial-branch=main', directory);
  const repository: GitRepository = {
    folder: parent,
    name,
    directory,
    commit: async (changes, message, branch = 'main') => {
      const base = await existingRef(directory, [branch, 'main']);
      await fastImport(directory, commitCommand({ branch, base, message, files: changes }));
      return await repository.head(branch);
    },
    head: async (branch = 'main') => await git(directory, 'rev-parse', `refs/heads/${branch}`),
    git: async (...args) => await git(directory, ...args),
    remove: async () => await rm(folder === undefined ? parent : directory, { recursive: true, force: true }),
  };
  if (Object.keys(files).length > 0) await repository.commit(files, 'First commit');
  return repository;
}

/** Serves the repositories of one folder over HTTP. */
export async function serveGit(
  folder: string,
  options: { servesCommits?: boolean } = {},
): Promise<GitHttpServer> {
  return await startGitHttpServer({ folder, ...options });
}

/** Without the settings of whoever runs the tests, and without the GIT_DIR of a hook that does. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
};

async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, { cwd: directory, env: ENVIRONMENT });
  return stdout.trim();
}

async function existingRef(directory: string, branches: readonly string[]): Promise<string | null> {
  for (const branch of branches) {
    const found = await git(directory, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(
      () => null,
    );
    if (found !== null) return found;
  }
  return null;
}

interface CommitCommand {
  readonly branch: string;
  readonly base: string | null;
  readonly message: string;
  readonly files: Files;
}

let lastSecond = 1_700_000_000;

/** The input of git-fast-import(1): no work tree is needed, and any path and content can be made. */
function commitCommand({ branch, base, message, files }: CommitCommand): Buffer {
  lastSecond += 1;
  return Buffer.concat([
    Buffer.from(`commit refs/heads/${branch}\ncommitter Ada <ada@example.com> ${lastSecond} +0000\n`),
    data(message),
    Buffer.from(base === null ? '' : `from ${base}\n`),
    ...Object.entries(files).map(([path, content]) => fileCommand(quote(path), content)),
    Buffer.from('\ndone\n'),
  ]);
}

function fileCommand(path: string, content: FileContent): Buffer {
  if (content === null) return Buffer.from(`D ${path}\n`);
  if (typeof content === 'string' || Buffer.isBuffer(content)) {
    return Buffer.concat([Buffer.from(`M 100644 inline ${path}\n`), data(content)]);
  }
  if ('submodule' in content) return Buffer.from(`M 160000 ${content.submodule} ${path}\n`);
  if ('tree' in content) return Buffer.from(`M 040000 ${content.tree} ${path}\n`);
  const [mode, text] = 'link' in content ? ['120000', content.link] : ['100755', content.executable];
  return Buffer.concat([Buffer.from(`M ${mode} inline ${path}\n`), data(text)]);
}

function data(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function quote(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

async function fastImport(directory: string, input: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('git', ['fast-import', '--quiet', '--done'], {
      cwd: directory,
      env: ENVIRONMENT,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error('git fast-import failed'))));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
