import { expect, test } from '@jest/globals';
import { explainGitFailure, isRedirect, refusesCommits } from './git-failure.ts';

const explain = (output: string) => explainGitFailure(output, 'git.example', null);

test.each([
  ["fatal: unable to access 'https://u/': The requested URL returned error: 302", 'clone_forbidden'],
  ["fatal: transport 'file' not allowed", 'clone_forbidden'],
  ["fatal: could not read Username for 'https://u': terminal prompts disabled", 'clone_failed'],
  ["fatal: unable to access 'https://u/': The requested URL returned error: 403", 'clone_failed'],
  ["fatal: repository 'https://u/' not found", 'clone_failed'],
  ["fatal: couldn't find remote ref refs/heads/x", 'branch_not_found'],
  ['fatal: remote error: upload-pack: not our ref 0123', 'commit_not_found'],
  ["fatal: unable to access 'https://u/': SSL certificate problem: self signed certificate", 'clone_failed'],
  ['fatal: write error: No space left on device', 'disk_full'],
  ["fatal: unable to access 'https://u/': Operation too slow. Less than 1 bytes/sec", 'clone_timeout'],
  ["fatal: unable to access 'https://u/': The requested URL returned error: 503", 'git_host_unavailable'],
  ["fatal: unable to access 'https://u/': The requested URL returned error: 429", 'git_host_unavailable'],
  [
    "fatal: unable to access 'https://u/': Failed to connect to u port 443: Couldn't connect to server",
    'git_host_unavailable',
  ],
  ['error: RPC failed; curl 56 Recv failure\nfatal: early EOF', 'git_host_unavailable'],
  ['Error: spawn git ENOENT', 'internal'],
  ['fatal: something new', 'clone_failed'],
])('%j means %s', (output, code) => {
  expect(explain(output).code).toBe(code);
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
