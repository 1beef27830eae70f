import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The name of the sample's bare repository, also in its URL. */
export const SAMPLE_REPOSITORY = 'sample.git';

/** Alone in its folder, for the folder is served. */
export function sampleRepository(dataDir: string): string {
  return join(dataDir, 'git', SAMPLE_REPOSITORY);
}

/** Puts the folder's present content as a commit on `main`; unchanged since the last time: no new commit. */
export async function commitSample(
  folder: string,
  dataDir: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const repository = sampleRepository(dataDir);
  const options = { cwd: folder, env: withoutGitSettings(environment) };
  const git = (...args: string[]) =>
    run('git', [`--git-dir=${repository}`, `--work-tree=${folder}`, ...args], options);
  if (!existsSync(join(repository, 'HEAD'))) {
    await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository], options);
  }
  await git('add', '--all', '.');
  if (!(await hasChanges(git))) return;
  const author = ['-c', 'user.name=Berth', '-c', 'user.email=sample@berth.invalid'];
  await git(
    ...author,
    'commit',
    '--quiet',
    '--no-verify',
    '--no-gpg-sign',
    '--message=The sample application',
  );
}

async function hasChanges(git: (...args: string[]) => Promise<{ stdout: string }>): Promise<boolean> {
  const { stdout } = await git('status', '--porcelain');
  return stdout !== '';
}

// A GIT_DIR or GIT_INDEX_FILE of the caller (a hook, say) would redirect us into the caller's repository.
function withoutGitSettings(environment: Readonly<Record<string, string | undefined>>) {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('GIT_'));
  return { ...Object.fromEntries(kept), GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
}
