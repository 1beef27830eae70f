import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest, type LabOptions } from '../../test/support/checkout-lab.ts';
import { FakeGithub } from '../../test/support/fake-github.ts';
import { createGitRepository, type Files, type GitRepository } from '../../test/support/git-repository.ts';
import { type LfsGitServer, startLfsGitServer } from '../../test/support/lfs-git-server.ts';
import { type SshGitServer, startSshGitServer } from '../../test/support/ssh-git-server.ts';
import { newDeployKey } from '../deploykeys/deploy-key.ts';
import type { CheckoutRequest, SourceCredential } from '../engine/ports.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

const NONE: SourceCredential = { kind: 'none', why: 'other_host' };

let app: GitRepository;
let lib: GitRepository;
let server: LfsGitServer;
let lab: CheckoutLab;
let asked: string[];

beforeAll(async () => {
  app = await createGitRepository({ 'index.html': 'app' });
  lib = await createGitRepository({ 'lib.js': 'one' }, { folder: app.folder, name: 'lib.git' });
  server = await startLfsGitServer(app.folder);
});
afterAll(async () => {
  await server.close();
  await app.remove();
});
beforeEach(() => {
  lab = new CheckoutLab({ privateHosts: [server.host], maxMegabytes: 20 });
  asked = [];
});
afterEach(() => expect(lab.close()).toEqual([]));

/** The files that name submodules: path → URL and commit. */
function withSubmodules(submodules: Readonly<Record<string, readonly [string, string]>>): Files {
  const text = Object.entries(submodules).map(
    ([path, [url]]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`,
  );
  const links = Object.entries(submodules).map(([path, [, submodule]]) => [path, { submodule }]);
  return { '.gitmodules': text.join(''), ...Object.fromEntries(links) };
}

let branches = 0;
async function clone(
  files: Files | string,
  changes: Partial<CheckoutRequest> = {},
  options: LabOptions = {},
) {
  branches += 1;
  const branch = typeof files === 'string' ? files : `submodules${branches}`;
  if (typeof files !== 'string') await app.commit(files, 'With submodules', branch);
  const request = checkoutRequest({
    attempt: branches,
    repoUrl: server.url(app.name),
    branch,
    submodules: {
      credentialFor: async (url) => {
        asked.push(url);
        return NONE;
      },
    },
    ...changes,
  });
  const { directory } = await lab.checkout(request, options);
  return { branch, directory, text: (name: string) => readFileSync(join(directory, name), 'utf8') };
}

describe('submodules', () => {
  test('are cloned at the commit that is pinned, by absolute and by relative URL, and theirs too', async () => {
    const pinned = await lib.head();
    await lib.commit({ 'lib.js': 'two' }, 'Not pinned');
    const outer = await createGitRepository(
      { 'outer.js': 'outer', ...withSubmodules({ 'deep/lib': ['../lib.git', pinned] }) },
      { folder: app.folder, name: 'outer.git' },
    );
    const { text, directory } = await clone(
      withSubmodules({
        'vendor/lib': [server.url('lib.git'), pinned],
        outer: ['../outer.git', await outer.head()],
      }),
    );
    expect(['vendor/lib/lib.js', 'outer/outer.js', 'outer/deep/lib/lib.js'].map(text)).toEqual([
      'one',
      'outer',
      'one',
    ]);
    expect(
      readdirSync(directory, { recursive: true }).filter((name) => /(^|\/)\.git$/.test(String(name))),
    ).toEqual([]);
    expect(asked).toEqual(['lib.git', 'outer.git', 'lib.git'].map((name) => server.url(name)));
    expect(lab.lines).toEqual(
      expect.arrayContaining(['Submodule vendor/lib', 'Submodule outer', 'Submodule deep/lib']),
    );
    await outer.remove();
  });

  test('move only what changed the second time', async () => {
    const { branch } = await clone(withSubmodules({ lib: ['../lib.git', await lib.head()] }));
    lab.lines.length = 0;
    await clone(branch);
    expect(lab.lines.filter((line) => line === 'Nothing new to receive')).toHaveLength(2);
  });

  test('are cloned where no mirror is kept', async () => {
    const submodules = withSubmodules({ lib: ['../lib.git', await lib.head()] });
    const { text, directory } = await clone(submodules, { projectId: null });
    expect(text('lib/lib.js')).toBe('two');
    expect(readdirSync(join(directory, 'lib'))).toEqual(['lib.js']);
  });

  test('bring their files of LFS, from the server that goes with them', async () => {
    const files = { '.gitattributes': '*.bin filter=lfs\n', 'a.bin': server.put(Buffer.from('of lib')) };
    const commit = await lib.commit(files, 'LFS', 'lfs');
    const { text } = await clone(withSubmodules({ lib: ['../lib.git', commit] }), { lfs: true });
    expect(text('lib/a.bin')).toBe('of lib');
    expect(server.requests.map(({ path }) => path)[0]).toBe('/lib.git/info/lfs/objects/batch');
  });

  test('that the tree has not, or that are nowhere described, are none', async () => {
    const { '.gitmodules': described } = withSubmodules({ gone: ['../lib.git', await lib.head()] });
    const { directory } = await clone({
      '.gitmodules': described ?? '',
      undescribed: { submodule: await lib.head() },
    });
    expect(readdirSync(join(directory, 'undescribed'))).toEqual([]);
    expect(existsSync(join(directory, 'gone'))).toBe(false);
    expect(asked).toEqual([]);
  });

  test('T08: stay empty without the setting, whatever they name', async () => {
    const { directory } = await clone(
      withSubmodules({ a: [server.url('lib.git'), await lib.head()], b: ['file:///etc', await lib.head()] }),
      { submodules: null },
    );
    expect(readdirSync(join(directory, 'a'))).toEqual([]);
    expect(readdirSync(join(directory, 'b'))).toEqual([]);
    expect(lab.lines.filter((line) => line.startsWith('Submodule'))).toEqual([]);
  });
});

describe('a submodule fails the deployment, which says which and why', () => {
  afterEach(() => expect(readdirSync(lab.workDir)).toEqual([]));

  test.each([
    'file:///etc',
    '/etc',
    '../../../../etc',
    'ext::sh -c "touch /tmp/pwn"',
    'ssh://-oProxyCommand=touch%20/tmp/pwn/x',
    'git@-oProxyCommand=touch:x',
    '--upload-pack=touch /tmp/pwn',
    'git://127.0.0.1/x',
    'http://127.0.0.1:9/x',
    'https://127.0.0.1/x',
    'https://169.254.169.254/x',
    'https://user:secret@github.com/acme/lib',
    'https://github.com/acme/lib',
    'git@github.com:acme/lib.git',
  ])('T03, T04, T05, T08: clone_forbidden: %s', async (url) => {
    await expect(clone(withSubmodules({ lib: [url, await lib.head()] }))).rejects.toMatchObject({
      code: 'clone_forbidden',
      message: expect.stringMatching(/^Submodule lib: /),
    });
    expect(asked).toEqual([]);
    expect(existsSync('/tmp/pwn')).toBe(false);
  });

  test.each<[string, () => Promise<Files>]>([
    ['clone_failed', async () => withSubmodules({ lib: ['../missing.git', await lib.head()] })],
    ['commit_not_found', async () => withSubmodules({ lib: ['../lib.git', 'a'.repeat(40)] })],
  ])('%s', async (code, files) => {
    await expect(clone(await files())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^Submodule lib: /),
    });
  });

  test('clone_failed: .gitmodules is none', async () => {
    await expect(clone({ '.gitmodules': '[submodule "x\n' })).rejects.toMatchObject({
      code: 'clone_failed',
      message: '.gitmodules cannot be read.',
    });
  });

  test('T10: clone_too_large: too many, too deep, or too large', async () => {
    const head = await lib.head();
    const many = Object.fromEntries(
      Array.from({ length: 101 }, (_, n) => [`m${n}`, ['../missing.git', head] as const]),
    );
    // The first of them fails already: that there are too many is told before any is fetched.
    await expect(clone(withSubmodules(many))).rejects.toMatchObject({ code: 'clone_too_large' });

    const deep: GitRepository[] = [];
    let inner: readonly [string, string] = ['../lib.git', head];
    for (let depth = 1; depth <= 5; depth += 1) {
      const name = `deep${depth}.git`;
      const repository = await createGitRepository(withSubmodules({ in: inner }), {
        folder: app.folder,
        name,
      });
      deep.push(repository);
      inner = [`../${name}`, await repository.head()];
    }
    await expect(clone(withSubmodules({ in: inner }))).rejects.toMatchObject({
      code: 'clone_too_large',
      message: expect.stringContaining('more than 5 deep'),
    });
    for (const repository of deep) await repository.remove();

    const big = await lib.commit({ big: Buffer.alloc(3_000_000, 'x') }, 'Big', 'big');
    await expect(
      clone(withSubmodules({ lib: ['../lib.git', big] }), {}, { maxMegabytes: 2 }),
    ).rejects.toMatchObject({ code: 'clone_too_large' });
  });

  test('T06: a redirect is not followed', async () => {
    const heard: string[] = [];
    const other = createServer((incoming, outgoing) => {
      heard.push(incoming.url ?? '');
      outgoing.writeHead(302, { Location: `http://${server.host}${incoming.url}` }).end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expect(
      clone(
        withSubmodules({ lib: [`http://${host}/lib.git`, await lib.head()] }),
        {},
        { privateHosts: [server.host, host] },
      ),
    ).rejects.toMatchObject({ code: 'repository_moved' });
    expect(heard).not.toEqual([]);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('T09: what submodules are asked with', () => {
  test('is chosen for each by its own URL, and shown to its own origin alone', async () => {
    const github = await FakeGithub.start();
    try {
      for (const login of ['ada', 'eve']) github.addUser(login);
      const secret = await github.addRepository('ada/secret', { files: { 'secret.js': 'private' } });
      const url = github.cloneUrl(secret);
      const files = withSubmodules({
        secret: [url, await secret.git.head()],
        lib: ['../lib.git', await lib.head()],
      });
      const credentialOf = (login: string) => (repoUrl: string) => {
        const token = github.userToken(login, ['repo']);
        const credential = { kind: 'token', origin: github.url, userName: 'x', token, via: 'user' } as const;
        return Promise.resolve(repoUrl.startsWith(github.url) ? credential : NONE);
      };
      const privateHosts = [server.host, github.host];
      const { branch, text } = await clone(
        files,
        { submodules: { credentialFor: credentialOf('ada') } },
        { privateHosts },
      );
      expect(text('secret/secret.js')).toBe('private');
      for (const credentialFor of [credentialOf('eve'), () => Promise.resolve(NONE)]) {
        await expect(
          clone(branch, { submodules: { credentialFor } }, { privateHosts }),
        ).rejects.toMatchObject({
          code: 'clone_unauthorized',
          message: expect.stringMatching(/^Submodule secret: /),
        });
      }
    } finally {
      await github.close();
    }
  });

  test('a deploy key opens another repository of its host that takes it, and else that one is asked without', async () => {
    const key = newDeployKey('berth-shop');
    const ssh: SshGitServer = await startSshGitServer({ folder: app.folder, publicKey: key.publicKey });
    try {
      const credential: SourceCredential = { kind: 'ssh_key', privateKey: key.privateKey };
      const { text } = await clone(
        withSubmodules({ lib: ['../lib.git', await lib.head()] }),
        { credential, submodules: { credentialFor: () => Promise.resolve(credential) } },
        { sshPort: ssh.port },
      );
      expect(text('lib/lib.js')).toBe('two');
      expect(ssh.commands).toContain("git-upload-pack '/lib.git'");

      const other = { kind: 'ssh_key', privateKey: newDeployKey('berth-other').privateKey } as const;
      const again = await clone(
        withSubmodules({ lib: ['../lib.git', await lib.head()] }),
        { submodules: { credentialFor: () => Promise.resolve(other) } },
        { sshPort: ssh.port },
      );
      expect(again.text('lib/lib.js')).toBe('two');
    } finally {
      await ssh.close();
    }
  });
});
