import type { SourceCredential } from '../engine/ports.ts';
import { DeploymentFailed, type FailureCode } from '../errors/deployment-failed.ts';
import { plainText } from './plain-text.ts';

/** The host that was asked, and what it was shown. */
export interface Asked {
  readonly host: string;
  readonly credential: SourceCredential;
}
type Meaning = readonly [FailureCode, string];

export const CLONE_DISK_FULL = 'The disk that repositories are cloned to has no space or no inodes left.';

/** Our own words of a git that was ended from outside; see git-command.ts. */
const SILENT = /git ended \(exit code .*\) and said nothing/;

/** Git's words (LC_ALL=C) → what they mean for whoever deploys; the first match counts. */
const MEANINGS: readonly (readonly [RegExp, (asked: Asked) => Meaning])[] = [
  [
    /returned error: 30\d|unable to update url base from redirection/,
    ({ host }) => ['repository_moved', `${host} redirects this repository to another address.`],
  ],
  [
    /transport '.*' not allowed/,
    () => ['clone_forbidden', 'The repository URL uses a transport that is not allowed.'],
  ],
  [/could not read Username|could not read Password|Authentication failed|returned error: 401/, loginRefused],
  [/returned error: 403/, accessRefused],
  [/repository '.*' not found|returned error: 404/, notShown],
  [
    /cannot run ssh|ssh: not found/,
    () => ['internal', 'The ssh client is not installed where the worker runs.'],
  ],
  [
    /Permission denied \(publickey/,
    ({ host }) => [
      'clone_unauthorized',
      `${host} does not take the app's deploy key for this repository; add its public half there.`,
    ],
  ],
  [
    /Host key verification failed/,
    ({ host }) => ['clone_failed', `${host} shows another host key than the one that is known here.`],
  ],
  [/couldn't find remote ref/i, () => ['branch_not_found', 'The branch is not in the repository.']],
  [/not our ref|expected commit type/, () => ['commit_not_found', 'The commit is not in the repository.']],
  [
    /SSL certificate|server certificate|certificate verif/i,
    ({ host }) => ['clone_failed', `The TLS certificate of ${host} is not valid here.`],
  ],
  [
    /No space left on device|Out of diskspace|Disk quota exceeded/,
    () => ['clone_disk_full', CLONE_DISK_FULL],
  ],
  [/Operation too slow|timed out/i, ({ host }) => ['clone_timeout', `${host} stopped sending data.`]],
  [
    /returned error: (?:429|5\d\d)|Failed to connect|Couldn't connect|Connection (?:refused|reset|closed)|Could not resolve host|early EOF|unexpected disconnect|hung up unexpectedly|RPC failed|Empty reply/i,
    ({ host }) => ['git_host_unavailable', `${host} cannot be reached, or broke the connection.`],
  ],
  // What hosts say by ssh in many words of their own.
  [/Could not read from remote repository/, notShown],
  [/spawn git ENOENT/, () => ['internal', 'Git is not installed where the worker runs.']],
  [
    SILENT,
    () => [
      'internal',
      'Git was ended before it was done, as happens where the machine has too little memory.',
    ],
  ],
];

/** What git says of objects that it cannot read, though other words may stand beside it. */
const DAMAGE =
  /corrupt|bad object|bad pack|not a git repository|unable to (?:read|parse)|could not read [0-9a-f]{40}|inflate|unresolved deltas|did not send all necessary objects|missing (?:blob|tree|commit)|invalid (?:object|shallow|sha1)/i;

/** 401: the host wants to know who asks, or does not know the token. */
function loginRefused({ host, credential }: Asked): Meaning {
  if (credential.kind === 'token') {
    return [
      'clone_unauthorized',
      credential.via === 'user'
        ? `${host} no longer accepts the token of your sign-in; sign in with GitHub again.`
        : `${host} no longer accepts the token of the GitHub App's installation; look whether it is still installed.`,
    ];
  }
  if (credential.kind === 'none' && credential.why === 'github_unavailable') {
    return [
      'git_host_unavailable',
      `${host} asks for a login, and GitHub's API could not be asked for a token just now.`,
    ];
  }
  const why = credential.kind === 'none' && credential.why === 'not_connected';
  return [
    'clone_unauthorized',
    why
      ? `${host} shows this repository to nobody without a login: it is private or does not exist, and no connected GitHub account or installation covers it.`
      : `${host} shows this repository to nobody without a login: it is private or does not exist.`,
  ];
}

/** 403: the host knows who asks, and does not want it. */
function accessRefused({ host, credential }: Asked): Meaning {
  const whose = credential.kind === 'token' ? ' with the token it was shown' : '';
  return [
    'clone_unauthorized',
    `${host} forbids reading this repository${whose}: an organisation may ask for single sign-on, or has blocked it.`,
  ];
}

/** 404: it is not there, or not for whoever asks. */
function notShown({ host, credential }: Asked): Meaning {
  if (credential.kind === 'none') return ['clone_failed', `${host} has no such repository.`];
  const whose = credential.kind === 'token' ? 'the connected GitHub account' : "the app's deploy key";
  return [
    'clone_unauthorized',
    `${host} shows no such repository to ${whose}: it was renamed or removed, or is not covered.`,
  ];
}

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

/** Is this nothing that a remote or a full disk explains, so that what lies here may be damaged? */
export function mayBeDamage(output: string): boolean {
  return DAMAGE.test(output) || SILENT.test(output) || !MEANINGS.some(([pattern]) => pattern.test(output));
}

/** Turns git's output into the failure that is shown. Its own words are kept only where none of ours fit. */
export function explainGitFailure(output: string, asked: Asked, cause: unknown): DeploymentFailed {
  for (const [pattern, meaning] of MEANINGS) {
    if (!pattern.test(output)) continue;
    const [code, reason] = meaning(asked);
    return new DeploymentFailed(code, reason, { cause });
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
