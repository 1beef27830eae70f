import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest, type LabOptions } from '../../test/support/checkout-lab.ts';
import { createGitRepository, type Files, type GitRepository } from '../../test/support/git-repository.ts';
import { type LfsGitServer, startLfsGitServer } from '../../test/support/lfs-git-server.ts';
import { type SshGitServer, startSshGitServer } from '../../test/support/ssh-git-server.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { newDeployKey } from '../deploykeys/deploy-key.ts';
import type { CheckoutRequest, SourceCredential } from '../engine/ports.ts';
import { Secret } from '../secrets/secret.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

const MB = 1024 * 1024;
const ATTRIBUTES = '*.bin filter=lfs diff=lfs merge=lfs -text\n';
const TOKEN = 'gho_canary1234567890ABCDEFghijklmnop';

let repository: GitRepository;
let server: LfsGitServer;
let lab: CheckoutLab;

beforeAll(async () => {
  repository = await createGitRepository({ '.gitattributes': ATTRIBUTES });
  server = await startLfsGitServer(repository.folder);
});
afterAll(async () => {
  await server.close();
  await repository.remove();
});
beforeEach(() => {
  lab = new CheckoutLab({ allowedHosts: ['*'], privateHosts: [server.host], maxMegabytes: 20 });
});
afterEach(() => {
  server.requests.length = 0;
  server.interfere = () => false;
  server.hrefOf = () => null;
  expect(lab.close()).toEqual([]);
});

let branches = 0;
async function clone(
  files: Files | string,
  changes: Partial<CheckoutRequest> = {},
  options: LabOptions = {},
) {
  branches += 1;
  const branch = typeof files === 'string' ? files : `lfs${branches}`;
  if (typeof files !== 'string') await repository.commit(files, 'With LFS', branch);
  const repoUrl = server.url(repository.name);
  const request = checkoutRequest({ attempt: branches, repoUrl, branch, lfs: true, ...changes });
  const { directory } = await lab.checkout(request, options);
  return { branch, bytes: (name: string) => readFileSync(join(directory, name)), directory };
}

const token = (): SourceCredential => ({
  kind: 'token',
  origin: `http://${server.host}`,
  userName: 'x-access-token',
  token: new Secret(TOKEN),
  via: 'user',
});

describe('files of LFS', () => {
  test('are fetched, by their id once, and keep their modes', async () => {
    const [big, small] = [randomBytes(3 * MB), Buffer.from('small')];
    const files = {
      'big.bin': server.put(big),
      'copy/big.bin': { executable: server.put(big) },
      'small.bin': server.put(small),
      'empty.bin': '',
    };
    const { bytes, directory } = await clone(files);
    expect(bytes('big.bin').equals(big)).toBe(true);
    expect(bytes('copy/big.bin').equals(big)).toBe(true);
    expect(bytes('small.bin').equals(small)).toBe(true);
    expect(statSync(join(directory, 'copy/big.bin')).mode & 0o111).not.toBe(0);
    expect(statSync(join(directory, 'big.bin')).mode & 0o777).toBe(
      statSync(join(directory, '.gitattributes')).mode & 0o777,
    );
    expect(readdirSync(directory).toSorted()).toEqual([
      '.gitattributes',
      'big.bin',
      'copy',
      'empty.bin',
      'small.bin',
    ]);
    expect(lab.lines).toContain('Received 3.0 MB of LFS for 3 files');
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
  });

  test('are fetched once, and what was kept is looked at before it is used again', async () => {
    const big = randomBytes(MB);
    const { branch } = await clone({ 'big.bin': server.put(big) });
    await clone(branch);
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(1);

    const kept = join(lab.mirrorDir, readdirSync(lab.mirrorDir)[0] ?? '', 'lfs');
    writeFileSync(join(kept, readdirSync(kept)[0] ?? ''), Buffer.alloc(MB));
    expect((await clone(branch)).bytes('big.bin').equals(big)).toBe(true);
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(2);
  });

  test('are fetched where no mirror is kept', async () => {
    const { bytes, directory } = await clone({ 'a.bin': server.put(Buffer.from('a')) }, { projectId: null });
    expect(bytes('a.bin').toString()).toBe('a');
    expect(readdirSync(directory)).not.toContain('.git');
  });

  test('stay pointers without the setting, and pointers that no attribute names stay in any case', async () => {
    const pointer = server.put(Buffer.from('file'));
    const files = { 'a.bin': pointer, 'docs/example.txt': pointer };
    expect((await clone(files, { lfs: false })).bytes('a.bin').toString()).toBe(pointer);
    expect(server.requests).toEqual([]);
    const { bytes } = await clone(files);
    expect(bytes('docs/example.txt').toString()).toBe(pointer);
    expect(bytes('a.bin').toString()).toBe('file');
  });

  test('T08: no filter, hook or server that the repository names is used', async () => {
    const elsewhere = await listen();
    const { bytes } = await clone({
      '.lfsconfig': `[lfs]\n\turl = http://${elsewhere.host}/lfs\n[filter "lfs"]\n\tprocess = touch ${lab.workDir}/pwned\n\tsmudge = touch ${lab.workDir}/pwned\n`,
      '.gitconfig': `[filter "lfs"]\n\tsmudge = touch ${lab.workDir}/pwned\n`,
      'a.bin': server.put(Buffer.from('a')),
    });
    expect(bytes('a.bin').toString()).toBe('a');
    expect(readdirSync(lab.workDir)).not.toContain('pwned');
    expect(elsewhere.connections()).toBe(0);
    await elsewhere.close();
  });
});

describe('T09: the token', () => {
  test('goes to the LFS server of its own origin, and not to where that lets files be fetched from', async () => {
    const store = await listen((oid) => (oid === '/stored' ? 'elsewhere' : null));
    server.hrefOf = () => ({ href: `http://${store.host}/stored`, header: { 'X-Ticket': 'one' } });
    const { bytes } = await clone(
      { 'a.bin': server.put(Buffer.from('elsewhere')) },
      { credential: token() },
      { privateHosts: [server.host, store.host] },
    );
    expect(bytes('a.bin').toString()).toBe('elsewhere');
    const basic = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString('base64')}`;
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([basic]);
    expect(store.seen()).toEqual([expect.objectContaining({ 'x-ticket': 'one' })]);
    expect(store.seen()[0]).not.toHaveProperty('authorization');
    await store.close();
  });

  test('of another origin is not shown', async () => {
    const other = { ...token(), origin: 'http://127.0.0.1:1' } as SourceCredential;
    await clone({ 'a.bin': server.put(Buffer.from('a')) }, { credential: other });
    expect(server.requests.flatMap(({ authorization }) => authorization ?? [])).toEqual([]);
  });
});

describe('with a deploy key', () => {
  const key = newDeployKey('berth-shop');
  const credential = { kind: 'ssh_key', privateKey: key.privateKey } as const;
  let ssh: SshGitServer;
  let answer: string | null;
  beforeAll(async () => {
    ssh = await startSshGitServer({
      folder: repository.folder,
      publicKey: key.publicKey,
      answerTo: (command) => (command.startsWith('git-lfs-authenticate ') ? answer : null),
    });
  });
  afterAll(() => ssh?.close());

  test('ssh tells where files are asked for, and with what', async () => {
    const href = `${server.url(repository.name)}/info/lfs`;
    answer = JSON.stringify({ href, header: { Authorization: 'RemoteAuth of this key' }, expires_in: 60 });
    const files = { 'a.bin': server.put(Buffer.from('a')) };
    const { bytes } = await clone(files, { credential }, { sshPort: ssh.port });
    expect(bytes('a.bin').toString()).toBe('a');
    expect(ssh.commands).toContain(`git-lfs-authenticate ${repository.name} download`);
    expect(server.requests[0]?.authorization).toBe('RemoteAuth of this key');
  });

  test.each<[string, string | null, string]>([
    ['knows no LFS', null, 'lfs_failed'],
    ['says what is no JSON', 'welcome', 'lfs_failed'],
    ['names no address', '{"href": "here"}', 'lfs_failed'],
    ['T05: names one that may not be asked', '{"href": "http://127.0.0.1:9/lfs"}', 'clone_forbidden'],
  ])('it fails when ssh %s', async (_what, text, code) => {
    answer = text;
    const files = { 'a.bin': server.put(Buffer.from('a')) };
    await expect(clone(files, { credential }, { sshPort: ssh.port })).rejects.toMatchObject({ code });
    expect(server.requests).toEqual([]);
  });
});

describe('what the LFS server says is not believed', () => {
  afterEach(() => expect(readdirSync(lab.workDir)).toEqual([]));

  test('T05, T06: files from a private address, by an address or by a redirect', async () => {
    const target = await listen();
    const addresses = [
      `http://${target.host}/x`,
      'http://169.254.169.254/latest',
      'https://169.254.169.254/latest',
      'https://127.0.0.1/x',
      'https://[::1]/x',
      'https://2130706433/x',
      'https://localtest.example/x',
      'https://github.com:22/x',
      'file:///etc/passwd',
      'no address',
    ];
    for (const href of addresses) {
      server.hrefOf = () => ({ href });
      await expect(
        clone({ 'a.bin': server.put(Buffer.from('a')) }, {}, { resolveHost: async () => ['10.0.0.1'] }),
      ).rejects.toMatchObject({ code: 'clone_forbidden' });
    }
    server.hrefOf = () => null;
    server.interfere = (incoming, outgoing) => {
      if (incoming.method === 'POST') return false;
      outgoing.writeHead(302, { Location: `http://${target.host}/x` }).end();
      return true;
    };
    await expect(clone({ 'a.bin': server.put(Buffer.from('a')) })).rejects.toMatchObject({
      code: 'clone_forbidden',
    });
    expect(target.connections()).toBe(0);
    await target.close();
  });

  test('T06: the batch API is not followed to another address', async () => {
    server.interfere = (_incoming, outgoing) => {
      outgoing.writeHead(302, { Location: `${server.url(repository.name)}/info/lfs/objects/other` }).end();
      return true;
    };
    await expect(clone({ 'a.bin': server.put(Buffer.from('a')) })).rejects.toMatchObject({
      code: 'repository_moved',
    });
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, string, (bytes: Buffer) => Buffer]>([
    ['other bytes', 'another file', (bytes) => Buffer.alloc(bytes.length, 'x')],
    ['more bytes', 'larger file', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
    ['fewer bytes', 'another file', (bytes) => bytes.subarray(1)],
  ])('lfs_failed: %s than the pointer says', async (_what, message, change) => {
    const bytes = randomBytes(1000);
    server.interfere = (incoming, outgoing) => {
      if (incoming.method === 'GET') outgoing.end(change(bytes));
      return incoming.method === 'GET';
    };
    await expect(clone({ 'a.bin': server.put(bytes) })).rejects.toMatchObject({
      code: 'lfs_failed',
      message: expect.stringContaining(message),
    });
  });

  test.each<[number, string]>([
    [401, 'clone_unauthorized'],
    [403, 'clone_unauthorized'],
    [404, 'lfs_failed'],
    [429, 'git_host_unavailable'],
    [503, 'git_host_unavailable'],
  ])('answers %i: %s', async (status, code) => {
    server.interfere = (_incoming, outgoing) => {
      outgoing.writeHead(status).end();
      return true;
    };
    await expect(clone({ 'a.bin': server.put(Buffer.from('a')) })).rejects.toMatchObject({ code });
  });

  test.each([
    ['is no JSON', '<html>'],
    ['is of another shape', '{"objects": 1}'],
    ['leaves files out', '{"objects": []}'],
  ])('lfs_failed: the answer %s', async (_what, text) => {
    server.interfere = (_incoming, outgoing) => {
      outgoing.end(text);
      return true;
    };
    await expect(clone({ 'a.bin': server.put(Buffer.from('a')) })).rejects.toMatchObject({
      code: 'lfs_failed',
    });
  });

  test('lfs_failed: a file was never pushed', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 3\n`;
    await expect(clone({ 'a.bin': pointer })).rejects.toMatchObject({
      code: 'lfs_failed',
      message: expect.stringContaining('does not exist'),
    });
  });

  test('T10: files that are too large are not even asked for, and count with what a clone takes', async () => {
    const files = { 'a.bin': server.put(randomBytes(3 * MB)) };
    await expect(clone(files, {}, { maxMegabytes: 2 })).rejects.toMatchObject({ code: 'clone_too_large' });
    expect(server.requests).toEqual([]);
    // Twice: beside the mirror's own there is that of the work tree.
    await expect(clone(files, {}, { maxMegabytes: 5 })).rejects.toMatchObject({ code: 'clone_too_large' });
  });

  test('an abort ends a download that hangs', async () => {
    server.interfere = (incoming) => incoming.method === 'GET';
    const cancel = new AbortController();
    const stopped = clone({ 'a.bin': server.put(Buffer.from('a')) }, {}, { signal: cancel.signal }).catch(
      (error: unknown) => error,
    );
    await waitUntil('the file to be asked for', () => server.requests.length === 2);
    cancel.abort(new Error('cancelled'));
    expect(await stopped).toEqual(new Error('cancelled'));
    expect(readdirSync(lab.mirrorDir)).toEqual([]);
  });
});

/** A server that no setting names: what it hears it should not have heard. */
async function listen(answer: (path: string) => string | null = () => null) {
  const seen: Record<string, unknown>[] = [];
  let connections = 0;
  const other = createServer((incoming, outgoing) => {
    seen.push(incoming.headers);
    const text = answer(incoming.url ?? '');
    outgoing.writeHead(text === null ? 404 : 200).end(text ?? '');
  });
  other.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(other.address() as AddressInfo).port}`,
    seen: () => seen,
    connections: () => connections,
    close: async () => {
      other.closeAllConnections();
      await new Promise((resolve) => other.close(resolve));
    },
  };
}
