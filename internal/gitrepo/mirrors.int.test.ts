import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest, type LabOptions } from '../../test/support/checkout-lab.ts';
import { createGitRepository, type GitRepository, serveGit } from '../../test/support/git-repository.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { CheckoutRequest } from '../engine/ports.ts';
import type { GitHttpServer } from '../host/git-http-server.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

const KB = 1024;
const MB = 1024 * KB;

const big = randomBytes(3 * MB);
let repository: GitRepository;
let server: GitHttpServer;
let lab: CheckoutLab;

beforeAll(async () => {
  repository = await createGitRepository({ big, version: '1' });
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

let attempts = 0;
function clone(changes: Partial<CheckoutRequest> = {}, options: LabOptions = {}) {
  attempts += 1;
  const repoUrl = server.url(repository.name);
  return lab.checkout(checkoutRequest({ attempt: attempts, repoUrl, ...changes }), options);
}

const fileOf = ({ directory }: { directory: string }, name: string) =>
  readFileSync(join(directory, name), 'utf8');
const onlyMirror = (): string => {
  const [name = '', ...others] = readdirSync(lab.mirrorDir);
  expect(others).toEqual([]);
  return join(lab.mirrorDir, name);
};
const pack = (end: string): string => {
  const folder = join(onlyMirror(), 'objects/pack');
  return join(folder, readdirSync(folder).find((name) => name.endsWith(end)) ?? '');
};

describe('the second clone', () => {
  test('moves only what changed, of whatever branch', async () => {
    const first = await clone();
    expect(lab.lines).toContainEqual(expect.stringMatching(/^Received 3\.\d MB$/));
    expect(first.mirrorBytes).toBeGreaterThan(3 * MB);

    await repository.commit({ version: '2' }, 'Second');
    await repository.commit({ version: 'other' }, 'Other', 'feature/other');
    lab.lines.length = 0;
    const second = await clone();
    const third = await clone({ branch: 'feature/other' });
    expect([second, third].map((checkout) => fileOf(checkout, 'version'))).toEqual(['2', 'other']);
    expect(readFileSync(join(third.directory, 'big')).equals(big)).toBe(true);
    expect(lab.lines.filter((line) => /^Received \d+(\.\d)? (B|kB)$/.test(line))).toHaveLength(2);
    expect((third.mirrorBytes ?? 0) - (first.mirrorBytes ?? 0)).toBeLessThan(100 * KB);

    lab.lines.length = 0;
    await clone();
    expect(lab.lines).toContain('Nothing new to receive');
  });

  test('of a commit that is not the head of its branch, where a server gives branches only', async () => {
    const oldServer = await serveGit(repository.folder, { servesCommits: false });
    try {
      const asked = await repository.commit({ version: 'asked' }, 'Asked for');
      await repository.commit({ version: 'later' }, 'Later');
      const elsewhere = await repository.commit({ version: 'elsewhere' }, 'Elsewhere', 'elsewhere');
      const options = { privateHosts: [oldServer.host] };
      const repoUrl = oldServer.url(repository.name);
      await clone({ repoUrl, branch: 'elsewhere' }, options);
      await repository.commit({ version: 'no head' }, 'So that it is nobody’s head', 'elsewhere');
      for (let round = 0; round < 2; round += 1) {
        const checkout = await clone({ repoUrl, commitSha: asked }, options);
        expect(fileOf(checkout, 'version')).toBe('asked');
      }
      // It is in the mirror, but not in that branch.
      await expect(clone({ repoUrl, commitSha: elsewhere }, options)).rejects.toMatchObject({
        code: 'commit_not_found',
      });
    } finally {
      await oldServer.close();
    }
  });

  test('fails as the first would where the remote no longer has the commit', async () => {
    const gone = await createGitRepository({ a: '1' }, { folder: repository.folder, name: 'gone.git' });
    const repoUrl = server.url(gone.name);
    const { commitSha } = await clone({ repoUrl });
    await gone.remove();
    const anew = await createGitRepository({ b: '1' }, { folder: repository.folder, name: 'gone.git' });
    await expect(clone({ repoUrl, commitSha })).rejects.toMatchObject({ code: 'commit_not_found' });
    await anew.remove();
    await expect(clone({ repoUrl })).rejects.toMatchObject({ code: 'clone_failed' });
  });

  test('is of nothing that another project has fetched', async () => {
    await clone();
    lab.lines.length = 0;
    await clone({ projectId: 'otherproj1' });
    expect(lab.lines).toContainEqual(expect.stringMatching(/^Received 3\.\d MB$/));
    expect(await lab.mirrors.list()).toHaveLength(2);
  });

  test('T10: counts what it takes itself, and no more than that', async () => {
    await clone();
    await clone({}, { maxMegabytes: 4 });
    await expect(clone({ projectId: 'otherproj1' }, { maxMegabytes: 4 })).rejects.toMatchObject({
      code: 'clone_too_large',
    });
    expect(await lab.mirrors.list()).toHaveLength(1);

    await repository.commit({ more: randomBytes(2 * MB) }, 'More', 'more');
    await expect(clone({ branch: 'more' }, { maxMegabytes: 6 })).rejects.toMatchObject({
      code: 'clone_too_large',
    });
  });

  test('begins with nothing where no mirror is wanted', async () => {
    for (let round = 0; round < 2; round += 1) {
      expect(await clone({ projectId: null })).toMatchObject({ mirrorBytes: null });
    }
    expect(lab.lines.filter((line) => /^Received 3\.\d MB$/.test(line))).toHaveLength(2);
    expect(readdirSync(lab.mirrorDir)).toEqual([]);
  });
});

describe('a mirror that two want', () => {
  test('is used by one after the other', async () => {
    const checkouts = lab.checkouts();
    const all = await Promise.all(Array.from({ length: 4 }, () => clone({}, { checkouts })));
    expect(new Set(all.map(({ commitSha }) => commitSha)).size).toBe(1);
    expect(lab.lines.filter((line) => line.startsWith('Received'))).toHaveLength(1);
    expect(onlyMirror()).toMatch(/klmnopqrst-[0-9a-f]{32}$/);
  });

  test('is with one of two workers, and the other one fetches for itself', async () => {
    await Promise.all([clone(), clone()]);
    await clone();
    expect(lab.lines).toContain('Nothing new to receive');
    onlyMirror();
  });

  test('is not waited for by a deployment that is cancelled', async () => {
    const hanging = createServer(() => undefined);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(hanging.address() as AddressInfo).port}`;
    const checkouts = lab.checkouts({ privateHosts: [host] });
    const cancels = [new AbortController(), new AbortController()];
    const clones = cancels.map(({ signal }) => clone({ repoUrl: `http://${host}/x` }, { checkouts, signal }));
    const settled = clones.map((each) => each.catch((error: unknown) => error));
    await waitUntil('the first to fetch', () => lab.lines.length === 1);
    for (const cancel of cancels.toReversed()) cancel.abort(new Error('cancelled'));
    expect(await Promise.all(settled)).toEqual([new Error('cancelled'), new Error('cancelled')]);
    expect([...readdirSync(lab.mirrorDir), ...readdirSync(lab.workDir)]).toEqual([]);
    hanging.closeAllConnections();
    await new Promise((resolve) => hanging.close(resolve));
  });
});

describe('F02: a mirror that is broken', () => {
  test.each<[string, () => void]>([
    ['a pack cut in the middle', () => truncateSync(pack('.pack'), MB)],
    ['bytes of a pack overwritten', () => overwrite(pack('.pack'))],
    ['a pack gone', () => rmSync(pack('.pack'))],
    ['an index of a pack gone', () => rmSync(pack('.idx'))],
    ['an index of a pack cut', () => truncateSync(pack('.idx'), 100)],
    ['no objects', () => rmSync(join(onlyMirror(), 'objects'), { recursive: true })],
    ['no HEAD', () => rmSync(join(onlyMirror(), 'HEAD'))],
    [
      'a list of shallow commits with rubbish',
      () => writeFileSync(join(onlyMirror(), 'shallow'), 'rubbish\n'),
    ],
    ['no list of shallow commits', () => rmSync(join(onlyMirror(), 'shallow'))],
    ['refs with rubbish', () => writeRefs('rubbish')],
    ['refs to nothing', () => writeRefs('0123456789abcdef0123456789abcdef01234567')],
    ['a folder with nothing in it', () => emptyMirror()],
    ['something else', () => writeFileSync(join(onlyMirror(), 'modules'), 'no folder')],
  ])('%s: is made anew, and the deployment goes on', async (_what, damage) => {
    const branch = 'broken';
    await repository.commit({ version: '1' }, 'Before', branch);
    await clone({ branch });
    damage();
    const commitSha = await repository.commit({ version: '2' }, 'After', branch);
    const checkout = await clone({ branch });
    expect(checkout.commitSha).toBe(commitSha);
    expect(readFileSync(join(checkout.directory, 'big')).equals(big)).toBe(true);
    expect(fileOf(checkout, 'version')).toBe('2');

    lab.lines.length = 0;
    const again = await clone({ branch });
    expect(lab.lines).toContain('Nothing new to receive');
    expect(readFileSync(join(again.directory, 'big')).equals(big)).toBe(true);
  });

  function overwrite(file: string): void {
    const bytes = readFileSync(file);
    bytes.fill(0, MB, 2 * MB);
    chmodSync(file, 0o600);
    writeFileSync(file, bytes);
  }
  function writeRefs(text: string): void {
    const folder = join(onlyMirror(), 'refs/mirror');
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), `${text}\n`);
  }
  function emptyMirror(): void {
    rmSync(onlyMirror(), { recursive: true });
    mkdirSync(
      join(
        lab.mirrorDir,
        lab.mirrors.nameOf({ projectId: 'klmnopqrst', repoUrl: server.url(repository.name) }),
      ),
    );
  }

  test('by a killed worker is never found, and goes with what else that attempt left', async () => {
    await clone();
    const name = onlyMirror();
    cpSync(name, `${name}.killedxxxx-3`, { recursive: true });
    cpSync(name, `${name}.killedxxxx-4`, { recursive: true });
    const checkouts = lab.checkouts();
    expect((await checkouts.listDeployments()).toSorted()).toEqual(['abcdefghij', 'killedxxxx']);
    expect(await lab.mirrors.list()).toHaveLength(1);
    await checkouts.remove('killedxxxx', 3);
    expect(existsSync(`${name}.killedxxxx-4`)).toBe(true);
    await checkouts.remove('killedxxxx');
    expect(onlyMirror()).toBe(name);
  });

  test('by an abort goes with the attempt', async () => {
    await clone();
    const cancel = new AbortController();
    const stopped = clone({}, { signal: cancel.signal }).catch((error: unknown) => error);
    await waitUntil('the mirror to be taken', () =>
      readdirSync(lab.mirrorDir).some((name) => name.includes('.')),
    );
    cancel.abort(new Error('cancelled'));
    expect(await stopped).toEqual(new Error('cancelled'));
    expect(readdirSync(lab.mirrorDir)).toEqual([]);
    await clone();
    onlyMirror();
  });
});

test('T08: of a mirror nothing is run, and no other objects are read, whatever was put there', async () => {
  await clone();
  const mirror = onlyMirror();
  const mark = join(lab.workDir, 'pwned');
  const script = `#!/bin/sh\ntouch ${mark}\n`;
  mkdirSync(join(mirror, 'hooks'));
  for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
    writeFileSync(join(mirror, 'hooks', hook), script, { mode: 0o755 });
  }
  mkdirSync(join(mirror, 'info'));
  writeFileSync(join(mirror, 'info/attributes'), '* filter=evil\n');
  writeFileSync(
    join(mirror, 'config'),
    `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = "touch ${mark}"\n[filter "evil"]\n\tsmudge = touch ${mark}; cat\n`,
  );
  mkdirSync(join(mirror, 'objects/info'), { recursive: true });
  writeFileSync(join(mirror, 'objects/info/alternates'), join(repository.directory, 'objects'));
  // Such a mirror is what Git would obey: this test could fail.
  writeFileSync(join(lab.workDir, '.git'), `gitdir: ${mirror}\n`);
  spawnSync('git', ['checkout', '--force', 'HEAD', '--', '.'], { cwd: lab.workDir });
  expect(existsSync(mark)).toBe(true);
  for (const name of readdirSync(lab.workDir)) rmSync(join(lab.workDir, name), { recursive: true });

  await repository.commit({ version: 'after' }, 'After');
  expect(fileOf(await clone(), 'version')).toBe('after');
  expect(existsSync(mark)).toBe(false);
  expect(existsSync(join(mirror, 'objects/info/alternates'))).toBe(false);
  expect(existsSync(join(mirror, 'hooks'))).toBe(false);
});

describe('the mirrors on the disk', () => {
  const name = `klmnopqrst-${'0'.repeat(32)}`;
  const holder = { deploymentId: 'abcdefghij', attempt: 1 };
  const put = (packs: number) => {
    const folder = join(lab.mirrorDir, name, 'objects/pack');
    mkdirSync(folder, { recursive: true });
    for (let n = 0; n < packs; n += 1) writeFileSync(join(folder, `${n}.pack`), 'x');
  };

  test('are listed with their size and when they were used last, and removed by name', async () => {
    put(3);
    utimesSync(join(lab.mirrorDir, name), 1000, 1000);
    writeFileSync(join(lab.mirrorDir, 'something'), 'of somebody else');
    expect(await lab.mirrors.list()).toEqual([{ name, bytes: 3, usedAt: new Date(1_000_000) }]);

    await lab.mirrors.giveBack(await lab.mirrors.take(name, holder), MB);
    const [used] = await lab.mirrors.list();
    expect(Date.now() - (used?.usedAt.getTime() ?? 0)).toBeLessThan(60_000);

    await lab.mirrors.remove(name);
    await lab.mirrors.remove(name);
    expect(readdirSync(lab.mirrorDir)).toEqual(['something']);
    await expect(lab.mirrors.remove('../something')).rejects.toThrow('not a name');
  });

  test('are not listed, nor removed, while a deployment has them', async () => {
    put(1);
    const taken = await lab.mirrors.take(name, holder);
    expect(await lab.mirrors.list()).toEqual([]);
    await lab.mirrors.remove(name);
    await lab.mirrors.giveBack(taken, MB);
    expect(await lab.mirrors.list()).toHaveLength(1);
  });

  test.each([
    ['have been fetched to very often', 51, MB],
    ['have grown past what a clone may take', 3, 2],
  ])('begin anew when they %s', async (_why, packs, maxBytes) => {
    put(packs);
    expect(await lab.mirrors.giveBack(await lab.mirrors.take(name, holder), maxBytes)).toBe(0);
    expect(readdirSync(lab.mirrorDir)).toEqual([]);
  });

  test('that were about to be removed when a worker was killed go at the next look', async () => {
    put(1);
    cpSync(join(lab.mirrorDir, name), join(lab.mirrorDir, `${name}.going-0123456789ab`), { recursive: true });
    expect(await lab.mirrors.list()).toHaveLength(1);
    expect(readdirSync(lab.mirrorDir)).toEqual([name]);
  });
});
