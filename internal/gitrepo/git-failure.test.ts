import { describe, expect, test } from '@jest/globals';
import type { SourceCredential } from '../engine/ports.ts';
import { Secret } from '../secrets/secret.ts';
import { explainGitFailure, isRedirect, refusesCommits } from './git-failure.ts';

const NONE: SourceCredential = { kind: 'none', why: 'other_host' };
const explain = (output: string, credential: SourceCredential = NONE) =>
  explainGitFailure(output, { host: 'git.example', credential }, null);

test.each([
  ["fatal: unable to access 'https://u/': The requested URL returned error: 302", 'repository_moved'],
  ["fatal: transport 'file' not allowed", 'clone_forbidden'],
  ["fatal: could not read Username for 'https://u': terminal prompts disabled", 'clone_unauthorized'],
  ["fatal: unable to access 'https://u/': The requested URL returned error: 403", 'clone_unauthorized'],
  ["fatal: repository 'https://u/' not found", 'clone_failed'],
  ["fatal: couldn't find remote ref refs/heads/x", 'branch_not_found'],
  ['fatal: remote error: upload-pack: not our ref 0123', 'commit_not_found'],
  ["fatal: unable to access 'https://u/': SSL certificate problem: self signed certificate", 'clone_failed'],
  ['fatal: write error: No space left on device', 'clone_disk_full'],
  ["fatal: unable to access 'https://u/': Operation too slow. Less than 1 bytes/sec", 'clone_timeout'],
  ["fatal: unable to access 'https://u/': The requested URL returned error: 503", 'git_host_unavailable'],
  ["fatal: unable to access 'https://u/': The requested URL returned error: 429", 'git_host_unavailable'],
  [
    "fatal: unable to access 'https://u/': Failed to connect to u port 443: Couldn't connect to server",
    'git_host_unavailable',
  ],
  ['error: RPC failed; curl 56 Recv failure\nfatal: early EOF', 'git_host_unavailable'],
  ['Error: spawn git ENOENT', 'internal'],
  ['git ended (exit code null) and said nothing', 'internal'],
  ['fatal: something new', 'clone_failed'],
])('%j means %s', (output, code) => {
  expect(explain(output).code).toBe(code);
});

describe('F46: who may not read is told what to do, by what was shown to the host', () => {
  const token = new Secret('gho_canary');
  const shown = { kind: 'token', origin: 'https://git.example', userName: 'x', token } as const;
  const key: SourceCredential = { kind: 'ssh_key', privateKey: new Secret('canary key') };
  const LOGIN = "fatal: could not read Username for 'https://u': terminal prompts disabled";
  const FORBIDDEN = "fatal: unable to access 'https://u/': The requested URL returned error: 403";
  const NOT_FOUND = "remote: Repository not found.\nfatal: repository 'https://u/' not found";
  const READ =
    'fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access';

  test.each<[string, SourceCredential, string, RegExp]>([
    [LOGIN, NONE, 'clone_unauthorized', /is private or does not exist\.$/],
    [LOGIN, { kind: 'none', why: 'not_connected' }, 'clone_unauthorized', /no connected GitHub account/],
    [LOGIN, { kind: 'none', why: 'github_unavailable' }, 'git_host_unavailable', /API could not be asked/],
    [LOGIN, { ...shown, via: 'user' }, 'clone_unauthorized', /sign in with GitHub again/],
    [LOGIN, { ...shown, via: 'installation' }, 'clone_unauthorized', /still installed/],
    [FORBIDDEN, { ...shown, via: 'user' }, 'clone_unauthorized', /single sign-on/],
    [NOT_FOUND, { ...shown, via: 'user' }, 'clone_unauthorized', /no such repository to the connected/],
    [`ERROR: Repository not found.\n${READ}`, key, 'clone_unauthorized', /to the app's deploy key/],
    [`git@u: Permission denied (publickey).\r\n${READ}`, key, 'clone_unauthorized', /does not take/],
    [`Host key verification failed.\r\n${READ}`, key, 'clone_failed', /another host key/],
    [`ssh: connect to host u port 22: Connection refused\r\n${READ}`, key, 'git_host_unavailable', /reached/],
    [
      `error: cannot run ssh: No such file or directory\nfatal: unable to fork`,
      key,
      'internal',
      /ssh client/,
    ],
  ])('%j', (output, credential, code, message) => {
    const failure = explain(output, credential);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(failure.message).not.toContain('canary');
  });
});

test('what is told names the host', () => {
  expect(explain("fatal: repository 'x' not found").message).toBe('git.example has no such repository.');
});

test('T09, T11: words of Git that we do not know are shown without URL, path of this machine, and escapes', () => {
  const { message } = explain(
    "remote: \u001b]52;c;x\u0007\nfatal: cannot open '/var/lib/berth/work/abc-1/.git/x' from https://u:t0ken@host/a: odd\u001b[2J",
  );
  expect(message).toBe("Git failed: cannot open '(path)' from (URL) odd");
});

test('a redirect, and a server that gives branches only, are told apart from the rest', () => {
  expect(isRedirect('The requested URL returned error: 301')).toBe(true);
  expect(isRedirect('The requested URL returned error: 404')).toBe(false);
  expect(refusesCommits('error: Server does not allow request for unadvertised object 0123')).toBe(true);
  expect(refusesCommits('fatal: remote error: upload-pack: not our ref 0123')).toBe(false);
});
