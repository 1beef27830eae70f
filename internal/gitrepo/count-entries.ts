import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { AttemptLimits } from './attempt-limits.ts';
import type { RunGit } from './git-command.ts';

/** The names of 200,000 files and folders, if they have 160 characters each. */
const MAX_NAMES_BYTES = 32 * 1024 * 1024;

/**
 * How many files and folders a checkout of the commit makes. A few small objects can be billions of them, by the same
 * folder under many names in folders like it; of each, `git checkout` keeps a record in memory before it writes the first.
 */
export async function countEntries(
  git: RunGit,
  commitSha: string,
  limits: Pick<AttemptLimits, 'fail'>,
): Promise<number> {
  const names = await git(['ls-tree', '-r', '-t', '-z', '--name-only', commitSha], {
    maxBytes: MAX_NAMES_BYTES,
    onFlood: () =>
      limits.fail(
        new DeploymentFailed('clone_too_large', 'The repository has files and folders without end.'),
      ),
  });
  let entries = 0;
  for (let at = names.indexOf('\0'); at !== -1; at = names.indexOf('\0', at + 1)) entries += 1;
  return entries;
}
