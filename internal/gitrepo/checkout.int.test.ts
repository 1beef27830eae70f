import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createGitRepository,
  type FileContent,
  type GitRepository,
  serveGit,
} from '../../test/support/git-repository.ts';
import { gitProcessesIn } from '../../test/support/left-on-disk.ts';
import type { CheckoutRequest, Line } from '../engine/ports.ts';
import type { GitHttpServer } from '../host/git-http-server.ts';
import { createLogger } from '../logger/logger.ts';
import { GitCheckout, type GitCheckoutOptions } from './checkout.ts';
import { Mirrors } from './mirrors.ts';

let repository: GitRepository;
let server: GitHttpServer;
let workDir: string;
let mirrorDir: string;
let lines: Line[];

beforeAll(async () => {
  repository = await createGitRepository({
    Dockerfile: 'FROM scratch\n',
    'src/app.js': 'console.log(1)\n',
    'run.sh': { executable: '#!/bin/sh\n' },
    latest: { link: 'src/app.js' },
  });
  server = await serveGit(repository.folder);
});
afterAll(async () => {
  await server.close();
  await repository.remove();
});
beforeEach(() => {
  workDir = mkdtempSync('/tmp/berth-checkout-');
  mirrorDir = mkdtempSync('/tmp/berth-mirrors-checkout-');
  lines = [];
});
afterEach(() => {
  const left = gitProcessesIn(workDir);
  rmSync(workDir, { recursive: true, force: true });
  rmSync(mirrorDir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

function gitCheckout(options: Partial<GitCheckoutOptions> = {}): GitCheckout {
  return new GitCheckout({
    workDir,
    mirrors: new Mirrors(mirrorDir),
    allowedHosts: ['github.com'],
    privateHosts: [server.host],
    timeoutSeconds: 20,
    maxMegabytes: 50,
    logger: createLogger({ level: 'silent', process: 'worker' }),
    ...options,
  });
}

function request(changes: Partial<CheckoutRequest> = {}): CheckoutRequest {
  return {
    deploymentId: 'abcdefghij',
    attempt: 1,
    projectId: 'klmnopqrst',
    submodules: null,
    lfs: false,
    repoUrl: server.url(repository.name),
    branch: 'main',
    commitSha: null,
    credential: { kind: 'none', why: 'other_host' },
    ...changes,
  };
}

const options = (signal: AbortSignal = new AbortController().signal) => ({
  signal,
  onLine: (line: Line) => lines.push(line),
});

describe('a checkout', () => {
  test('holds the files of the branch head, with modes and links, and no .git', async () => {
    const head = await repository.head();
    const checkout = await gitCheckout().checkout(request(), options());

    expect(checkout).toEqual({
      directory: join(workDir, 'abcdefghij-1'),
      commitSha: head,
      commitMessage: 'First commit',
      branch: 'main',
      mirrorBytes: expect.any(Number),
    });
    expect(readdirSync(checkout.directory).toSorted()).toEqual(['Dockerfile', 'latest', 'run.sh', 'src']);
    expect(readFileSync(join(checkout.directory, 'src/app.js'), 'utf8')).toBe('console.log(1)\n');
    expect(lstatSync(join(checkout.directory, 'run.sh')).mode & 0o111).not.toBe(0);
    expect(readlinkSync(join(checkout.directory, 'latest'))).toBe('src/app.js');
    expect(lines.map(({ text }) => text)).toEqual([
      `Fetching branch main from ${server.host}`,
      expect.stringMatching(/^Received \d+(\.\d)? (B|kB)$/),
      `Checked out ${head.slice(0, 7)}: First commit`,
    ]);
  });

  test('A15: is of the commit that was asked for, though the branch has moved on', async () => {
    const asked = await repository.commit({ version: '1' }, 'Asked for', 'moving');
    await repository.commit({ version: '2' }, 'Pushed meanwhile', 'moving');
    const checkout = await gitCheckout().checkout(request({ branch: 'moving', commitSha: asked }), options());
    expect(checkout).toMatchObject({ commitSha: asked, commitMessage: 'Asked for', branch: 'moving' });
    expect(readFileSync(join(checkout.directory, 'version'), 'utf8')).toBe('1');
  });

  test('A15: is of that commit also where the server gives branches only', async () => {
    const asked = await repository.commit({ version: '1' }, 'Asked for', 'long');
    for (let n = 0; n < 60; n += 1) await repository.commit({ version: String(n) }, `Later ${n}`, 'long');
    const oldServer = await serveGit(repository.folder, { servesCommits: false });
    try {
      const checkout = await gitCheckout({ privateHosts: [oldServer.host] }).checkout(
        request({ repoUrl: oldServer.url(repository.name), branch: 'long', commitSha: asked }),
        options(),
      );
      expect(checkout.commitMessage).toBe('Asked for');
      expect(readFileSync(join(checkout.directory, 'version'), 'utf8')).toBe('1');
      await expect(
        gitCheckout({ privateHosts: [oldServer.host] }).checkout(
          request({
            repoUrl: oldServer.url(repository.name),
            branch: 'main',
            commitSha: asked.replace(/./, '0'),
          }),
          options(),
        ),
      ).rejects.toMatchObject({ code: 'commit_not_found' });
    } finally {
      await oldServer.close();
    }
  });

  test('without a branch takes main, else the remote default, and tells which', async () => {
    expect(await gitCheckout().checkout(request({ branch: null }), options())).toMatchObject({
      branch: 'main',
    });

    const other = await createGitRepository();
    const sha = await other.commit({ a: '1' }, 'On trunk', 'trunk');
    await other.git('symbolic-ref', 'HEAD', 'refs/heads/trunk');
    const otherServer = await serveGit(other.folder);
    try {
      const checkout = await gitCheckout({ privateHosts: [otherServer.host] }).checkout(
        request({ attempt: 2, branch: null, repoUrl: otherServer.url(other.name) }),
        options(),
      );
      expect(checkout).toMatchObject({ branch: 'trunk', commitSha: sha });
    } finally {
      await otherServer.close();
      await other.remove();
    }
  });

  test('T66: shows a commit message without escapes and bidi marks', async () => {
    await repository.commit({ a: '1' }, 'Add \u001b]52;c;eA==\u0007a\u001b[2J\u202e\n\nBody', 'escapes');
    const checkout = await gitCheckout().checkout(request({ branch: 'escapes' }), options());
    expect(checkout.commitMessage).toBe('Add a\n\nBody');
    expect(lines.at(-1)?.text).toMatch(/: Add a$/);
  });

  test('T08: leaves submodules empty', async () => {
    await repository.commit(
      { '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = file:///etc\n', keep: '1' },
      'With a submodule',
      'submodule',
    );
    const checkout = await gitCheckout().checkout(request({ branch: 'submodule' }), options());
    expect(existsSync(join(checkout.directory, 'x'))).toBe(false);
  });

  test('replaces what an earlier holder of its folder left', async () => {
    const checkouts = gitCheckout();
    const first = await checkouts.checkout(request(), options());
    const second = await checkouts.checkout(request({ branch: 'main' }), options());
    expect(second.directory).toBe(first.directory);
    expect(await checkouts.listDeployments()).toEqual(['abcdefghij']);
  });
});

describe('a checkout fails, says why and leaves nothing', () => {
  const absent = '0123456789abcdef0123456789abcdef01234567';

  test.each<[string, Partial<CheckoutRequest>, string]>([
    ['branch_not_found', { branch: 'nowhere' }, 'The repository has no branch named nowhere.'],
    ['commit_not_found', { commitSha: absent }, 'The commit is not in the repository.'],
    ['invalid_ref', { commitSha: 'HEAD' }, 'The commit must be named by its 40 hexadecimal digits.'],
  ])('%s', async (code, changes, message) => {
    const checkouts = gitCheckout();
    await expect(checkouts.checkout(request(changes), options())).rejects.toMatchObject({ code, message });
    expect(await checkouts.listDeployments()).toEqual([]);
  });

  test('commit_not_found: the id is of a tree or of a tag', async () => {
    await repository.git(
      '-c',
      'user.name=Ada',
      '-c',
      'user.email=a@example.com',
      'tag',
      '-m',
      'One',
      'v1',
      'main',
    );
    for (const thing of ['main^{tree}', 'v1']) {
      const commitSha = await repository.git('rev-parse', thing);
      await expect(gitCheckout().checkout(request({ commitSha }), options())).rejects.toMatchObject({
        code: 'commit_not_found',
      });
    }
  });

  test('repository_empty', async () => {
    const empty = await createGitRepository({}, { folder: repository.folder, name: 'empty.git' });
    try {
      for (const branch of ['main', null]) {
        await expect(
          gitCheckout().checkout(request({ repoUrl: server.url('empty.git'), branch }), options()),
        ).rejects.toMatchObject({ code: 'repository_empty' });
      }
    } finally {
      await empty.remove();
    }
  });

  test('clone_failed: there is no such repository', async () => {
    await expect(
      gitCheckout().checkout(request({ repoUrl: server.url('missing.git') }), options()),
    ).rejects.toMatchObject({ code: 'clone_failed', message: `${server.host} has no such repository.` });
  });

  test('clone_too_large: by bytes', async () => {
    await repository.commit({ big: Buffer.alloc(3 * 1024 * 1024, 'x') }, 'Big', 'big');
    await expect(
      gitCheckout({ maxMegabytes: 2 }).checkout(request({ branch: 'big' }), options()),
    ).rejects.toMatchObject({ code: 'clone_too_large', message: expect.stringContaining('2 MB') });
    expect(readdirSync(workDir)).toEqual([]);
  });

  test('T10, clone_too_large: by entries, as a tree bomb has', async () => {
    const bomb = await repository.commit(treeOf(10, 3), 'Bomb', 'bomb');
    await expect(
      gitCheckout({ maxEntries: 500 }).checkout(request({ branch: 'bomb', commitSha: bomb }), options()),
    ).rejects.toMatchObject({ code: 'clone_too_large', message: expect.stringContaining('500') });
    expect(readdirSync(workDir)).toEqual([]);
  });

  test.each<[string, readonly number[], string]>([
    ['302,000 files', [301, 1000], 'more than 200000 files and folders'],
    ['30 million files', [301, 1000, 100], 'files and folders without end'],
    ['10 billion files', Array.from({ length: 10 }, () => 10), 'files and folders without end'],
  ])(
    'T10, T12, clone_too_large: %s made of a few objects are refused before one is written',
    async (_, widths, words) => {
      await bombOf(widths);
      const started = performance.now();
      await expect(gitCheckout().checkout(request({ branch: 'bomb' }), options())).rejects.toMatchObject({
        code: 'clone_too_large',
        message: expect.stringContaining(words),
      });
      expect(performance.now() - started).toBeLessThan(3000);
      expect(readdirSync(workDir)).toEqual([]);
    },
  );

  test('T10: a path longer than the system takes is refused, and still removed', async () => {
    const path = `${Array.from({ length: 20 }, () => 'd'.repeat(200)).join('/')}/${'f'.repeat(60)}`;
    await repository.commit({ [path]: 'x' }, 'Deep', 'deep');
    await expect(gitCheckout().checkout(request({ branch: 'deep' }), options())).rejects.toMatchObject({
      name: 'DeploymentFailed',
    });
    expect(readdirSync(workDir)).toEqual([]);
  });

  test('a deployment id that is none makes no folder elsewhere', async () => {
    await expect(gitCheckout().checkout(request({ deploymentId: '../escape' }), options())).rejects.toThrow(
      'not a deployment id',
    );
  });
});

/** A branch `bomb`: the innermost folder holds so many files, each further one holds that before it under so many names. */
async function bombOf([files = 0, ...widths]: readonly number[]): Promise<void> {
  const all = (count: number, content: FileContent) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [String(n), content]));
  await repository.commit(all(files, 'x'), 'Files', 'bomb');
  for (const width of widths) {
    const tree = await repository.git('rev-parse', 'bomb^{tree}');
    await repository.git('update-ref', '-d', 'refs/heads/bomb');
    await repository.commit(all(width, { tree }), 'Folders', 'bomb');
  }
}

/** `width ** depth` small files. */
function treeOf(width: number, depth: number): Record<string, string> {
  let paths = [''];
  for (let level = 0; level < depth; level += 1) {
    paths = paths.flatMap((path) => Array.from({ length: width }, (_, n) => `${path}/${n}`));
  }
  return Object.fromEntries(paths.map((path) => [path.slice(1), 'x']));
}
