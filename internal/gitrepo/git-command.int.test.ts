import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../test/support/wait-until.ts';
import { endProcesses } from './end-processes.ts';
import { GitFailed, prepareGit, type RunGit } from './git-command.ts';

describe('a git command', () => {
  let directory: string;
  let git: RunGit;
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'berth-git-command-')));
    git = prepareGit({
      directory,
      protocol: 'https',
      configFile: null,
      pin: null,
      caFile: null,
      lowSpeedSeconds: 10,
      signal: new AbortController().signal,
      onFlood: () => undefined,
    });
    await git(['init', '--quiet', '--template=']);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('tells what it wrote', async () => {
    expect(await git(['rev-parse', '--is-bare-repository'])).toBe('false\n');
  });

  test('that fails without a word has failed', async () => {
    await expect(git(['config', '--get', 'no.such'])).rejects.toThrow(GitFailed);
  });

  test('F02: that is killed has failed, and is not taken for done', async () => {
    // It waits for names of objects.
    const waiting = git(['cat-file', '--batch']);
    const outcome = waiting.then(
      (output) => output,
      (error: unknown) => error,
    );
    const kill = () => endProcesses((where) => where === directory);
    await waitUntil('git to have ended', () =>
      Promise.race([outcome.then(() => true), kill().then(() => false)]),
    );
    expect(await outcome).toBeInstanceOf(GitFailed);
  });
});
