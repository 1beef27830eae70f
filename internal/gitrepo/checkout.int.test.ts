import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest, type LabOptions } from '../../test/support/checkout-lab.ts';
import {
  createGitRepository,
  type FileContent,
  type GitRepository,
  serveGit,
} from '../../test/support/git-repository.ts';
import type { CheckoutRequest } from '../engine/ports.ts';
import type { GitHttpServer } from '../host/git-http-server.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

let repository: GitRepository;
let server: GitHttpServer;
let lab: CheckoutLab;

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
  lab = new CheckoutLab({ privateHosts: [server.host] });
});
afterEach(() => expect(lab.close()).toEqual([]));

function checkOut(changes: Partial<CheckoutRequest> = {}, options: LabOptions = {}) {
  return lab.checkout(checkoutRequest({ repoUrl: server.url(repository.name), ...changes }), options);
}

describe('a checkout', () => {
  test('holds the files of the branch head, with modes and links, and no .git', async () => {
    const head = await repository.head();
    const checkout = await checkOut();

    expect(checkout).toEqual({
      directory: join(lab.workDir, 'abcdefghij-1'),
      commitSha: head,
      commitMessage: 'First commit',
      branch: 'main',
      mirrorBytes: expect.any(Number),
    });
    expect(readdirSync(checkout.directory).toSorted()).toEqual(['Dockerfile', 'latest', 'run.sh', 'src']);
    expect(readFileSync(join(checkout.directory, 'src/app.js'), 'utf8')).toBe('console.log(1)\n');
    expect(lstatSync(join(checkout.directory, 'run.sh')).mode & 0o111).not.toBe(0);
    expect(readlinkSync(join(checkout.directory, 'latest'))).toBe('src/app.js');
    expect(lab.lines).toEqual([
      `Fetching branch main from ${server.host}`,
      expect.stringMatching(/^Received \d+(\.\d)? (B|kB)$/),
      `Checked out ${head.slice(0, 7)}: First commit`,
    ]);
  });

  test('A15: is of the commit that was asked for, though the branch has moved on', async () => {
    const asked = await repository.commit({ version: '1' }, 'Asked for', 'moving');
    await repository.commit({ version: '2' }, 'Pushed meanwhile', 'moving');
    const checkout = await checkOut({ branch: 'moving', commitSha: asked });
    expect(checkout).toMatchObject({ commitSha: asked, commitMessage: 'Asked for', branch: 'moving' });
    expect(readFileSync(join(checkout.directory, 'version'), 'utf8')).toBe('1');
  });

  test('A15: is of that commit also where the server gives branches only', async () => {
    const asked = await repository.commit({ version: '1' }, 'Asked for', 'long');
    for (let n = 0; n < 60; n += 1) await repository.commit({ version: String(n) }, `Later ${n}`, 'long');
    const oldServer = await serveGit(repository.folder, { servesCommits: false });
    try {
      const checkout = await checkOut(
        { repoUrl: oldServer.url(repository.name), branch: 'long', commitSha: asked },
        { privateHosts: [oldServer.host] },
      );
      expect(checkout.commitMessage).toBe('Asked for');
      expect(readFileSync(join(checkout.directory, 'version'), 'utf8')).toBe('1');
      await expect(
        checkOut(
          {
            repoUrl: oldServer.url(repository.name),
            branch: 'main',
            commitSha: asked.replace(/./, '0'),
          },
          { privateHosts: [oldServer.host] },
        ),
      ).rejects.toMatchObject({ code: 'commit_not_found' });
    } finally {
      await oldServer.close();
    }
  });

  test('without a branch takes main, else the remote default, and tells which', async () => {
    expect(await checkOut({ branch: null })).toMatchObject({
      branch: 'main',
    });

    const other = await createGitRepository();
    const sha = await other.commit({ a: '1' }, 'On trunk', 'trunk');
    await other.git('symbolic-ref', 'HEAD', 'refs/heads/trunk');
    const otherServer = await serveGit(other.folder);
    try {
      const checkout = await checkOut(
        { attempt: 2, branch: null, repoUrl: otherServer.url(other.name) },
        { privateHosts: [otherServer.host] },
      );
      expect(checkout).toMatchObject({ branch: 'trunk', commitSha: sha });
    } finally {
      await otherServer.close();
      await other.remove();
    }
  });

  test('T66: shows a commit message without escapes and bidi marks', async () => {
    await repository.commit({ a: '1' }, 'Add \u001b]52;c;eA==\u0007a\u001b[2J\u202e\n\nBody', 'escapes');
    const checkout = await checkOut({ branch: 'escapes' });
    expect(checkout.commitMessage).toBe('Add a\n\nBody');
    expect(lab.lines.at(-1)).toMatch(/: Add a$/);
  });

  test('T08: leaves submodules empty', async () => {
    await repository.commit(
      { '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = file:///etc\n', keep: '1' },
      'With a submodule',
      'submodule',
    );
    const checkout = await checkOut({ branch: 'submodule' });
    expect(existsSync(join(checkout.directory, 'x'))).toBe(false);
  });

  test('replaces what an earlier holder of its folder left', async () => {
    const first = await checkOut();
    const second = await checkOut({ branch: 'main' });
    expect(second.directory).toBe(first.directory);
    expect(await lab.checkouts().listDeployments()).toEqual(['abcdefghij']);
  });
});

describe('a checkout fails, says why and leaves nothing', () => {
  const absent = '0123456789abcdef0123456789abcdef01234567';

  test.each<[string, Partial<CheckoutRequest>, string]>([
    ['branch_not_found', { branch: 'nowhere' }, 'The repository has no branch named nowhere.'],
    ['commit_not_found', { commitSha: absent }, 'The commit is not in the repository.'],
    ['invalid_ref', { commitSha: 'HEAD' }, 'The commit must be named by its 40 hexadecimal digits.'],
  ])('%s', async (code, changes, message) => {
    await expect(checkOut(changes)).rejects.toMatchObject({ code, message });
    expect(await lab.checkouts().listDeployments()).toEqual([]);
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
      await expect(checkOut({ commitSha })).rejects.toMatchObject({
        code: 'commit_not_found',
      });
    }
  });

  test('repository_empty', async () => {
    const empty = await createGitRepository({}, { folder: repository.folder, name: 'empty.git' });
    try {
      for (const branch of ['main', null]) {
        await expect(checkOut({ repoUrl: server.url('empty.git'), branch })).rejects.toMatchObject({
          code: 'repository_empty',
        });
      }
    } finally {
      await empty.remove();
    }
  });

  test('clone_failed: there is no such repository', async () => {
    await expect(checkOut({ repoUrl: server.url('missing.git') })).rejects.toMatchObject({
      code: 'clone_failed',
      message: `${server.host} has no such repository.`,
    });
  });

  test('clone_too_large: by bytes', async () => {
    await repository.commit({ big: Buffer.alloc(3 * 1024 * 1024, 'x') }, 'Big', 'big');
    await expect(checkOut({ branch: 'big' }, { maxMegabytes: 2 })).rejects.toMatchObject({
      code: 'clone_too_large',
      message: expect.stringContaining('2 MB'),
    });
    expect(readdirSync(lab.workDir)).toEqual([]);
  });

  test('T10, clone_too_large: by entries, as a tree bomb has', async () => {
    const bomb = await repository.commit(treeOf(10, 3), 'Bomb', 'bomb');
    await expect(checkOut({ branch: 'bomb', commitSha: bomb }, { maxEntries: 500 })).rejects.toMatchObject({
      code: 'clone_too_large',
      message: expect.stringContaining('500'),
    });
    expect(readdirSync(lab.workDir)).toEqual([]);
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
      await expect(checkOut({ branch: 'bomb' })).rejects.toMatchObject({
        code: 'clone_too_large',
        message: expect.stringContaining(words),
      });
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(readdirSync(lab.workDir)).toEqual([]);
    },
  );

  test('T10: a path longer than the system takes is refused, and still removed', async () => {
    const path = `${Array.from({ length: 20 }, () => 'd'.repeat(200)).join('/')}/${'f'.repeat(60)}`;
    await repository.commit({ [path]: 'x' }, 'Deep', 'deep');
    await expect(checkOut({ branch: 'deep' })).rejects.toMatchObject({
      name: 'DeploymentFailed',
    });
    expect(readdirSync(lab.workDir)).toEqual([]);
  });

  test('a deployment id that is none makes no folder elsewhere', async () => {
    await expect(checkOut({ deploymentId: '../escape' })).rejects.toThrow('not a deployment id');
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
