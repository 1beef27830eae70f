import { DeploymentFailed, type FailureCode } from '../errors/deployment-failed.ts';
import { plainText } from './plain-text.ts';

/** Git's words (LC_ALL=C) → what they mean for whoever deploys; the first match counts. */
const MEANINGS: readonly (readonly [RegExp, FailureCode, (host: string) => string])[] = [
  [
    /returned error: 30\d|unable to update url base from redirection/,
    'clone_forbidden',
    (host) =>
      `${host} redirects this repository to another address; set repo_url to the address where it is now.`,
  ],
  [
    /transport '.*' not allowed/,
    'clone_forbidden',
    () => 'The repository URL uses a transport that is not allowed.',
  ],
  [
    /could not read Username|could not read Password|Authentication failed|returned error: 40[13]/,
    'clone_failed',
    (host) =>
      `${host} asks for a login: there is no such repository, or it is private and the platform may not read it.`,
  ],
  [
    /repository '.*' not found|returned error: 404/,
    'clone_failed',
    (host) => `${host} has no such repository.`,
  ],
  [/couldn't find remote ref/i, 'branch_not_found', () => 'The branch is not in the repository.'],
  [/not our ref|expected commit type/, 'commit_not_found', () => 'The commit is not in the repository.'],
  [
    /SSL certificate|server certificate|certificate verif/i,
    'clone_failed',
    (host) => `The TLS certificate of ${host} is not valid here.`,
  ],
  [/No space left on device/, 'disk_full', () => 'The disk of the platform is full.'],
  [/Operation too slow|timed out/i, 'clone_timeout', (host) => `${host} stopped sending data.`],
  [
    /returned error: (?:429|5\d\d)|Failed to connect|Couldn't connect|Connection (?:refused|reset)|Could not resolve host|early EOF|unexpected disconnect|hung up unexpectedly|RPC failed|Empty reply/i,
    'git_host_unavailable',
    (host) => `${host} cannot be reached, or broke the connection.`,
  ],
  [/spawn git ENOENT/, 'internal', () => 'Git is not installed where the worker runs.'],
];

/** Did the server answer with another address instead of the repository? */
export function isRedirect(output: string): boolean {
  return MEANINGS[0]?.[0].test(output) ?? false;
}

/** Has the remote no branch of that name (or no branch at all)? */
export function isMissingRef(output: string): boolean {
  return /couldn't find remote ref/i.test(output);
}

/** Does the server give branches only, so that a commit must be found in a branch's history? */
export function refusesCommits(output: string): boolean {
  return /unadvertised object|want .* not valid/.test(output);
}

/** Turns git's output into the failure that is shown. Its own words are kept only where none of ours fit. */
export function explainGitFailure(output: string, host: string, cause: unknown): DeploymentFailed {
  for (const [pattern, code, reason] of MEANINGS) {
    if (pattern.test(output)) return new DeploymentFailed(code, reason(host), { cause });
  }
  return new DeploymentFailed('clone_failed', `Git failed: ${lastWords(output)}`, { cause });
}

/** The last line that says `fatal:` or `error:`, without URLs and paths of this machine. */
function lastWords(output: string): string {
  const lines = plainText(output, 20_000).split('\n');
  const line = lines.findLast((text) => /^(?:fatal|error): /.test(text)) ?? lines.at(-1) ?? '';
  return line
    .replace(/^(?:fatal|error): /, '')
    .replace(/[a-z]+:\/\/\S+/gi, '(URL)')
    .replace(/(?<![\w.])\/[\w.-]+(?:\/[^\s':]*)+/g, '(path)')
    .slice(0, 300);
}
