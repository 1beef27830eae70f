import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest, type LabOptions } from '../../test/support/checkout-lab.ts';
import { gitProcessesIn } from '../../test/support/left-on-disk.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { CheckoutRequest } from '../engine/ports.ts';
import { prepareGit, type RunGit } from './git-command.ts';
import { checkAddresses, pinFor } from './pin-address.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

let lab: CheckoutLab;
const servers: Server[] = [];

beforeEach(() => {
  lab = new CheckoutLab({ allowedHosts: ['*'] });
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const folders = readdirSync(lab.workDir);
  expect([...lab.close(), ...folders]).toEqual([]);
});

interface Listener {
  readonly host: string;
  readonly requests: string[];
  connections: number;
}

async function listen(onRequest: RequestListener): Promise<Listener> {
  const listener = { host: '', requests: [] as string[], connections: 0 };
  const server = createServer((incoming, outgoing) => {
    listener.requests.push(incoming.url ?? '');
    onRequest(incoming, outgoing);
  });
  server.on('connection', () => {
    listener.connections += 1;
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  listener.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return listener;
}

function checkOut(repoUrl: string, changes: Partial<CheckoutRequest> = {}, options: LabOptions = {}) {
  return lab.checkout(checkoutRequest({ repoUrl, ...changes }), options);
}

describe('what did not come through the API is refused by the adapter too', () => {
  test.each([
    'ext::sh -c "touch /tmp/pwn"',
    'EXT::x',
    'transport::address',
    'https::x',
    'file:///etc',
    '/var/lib/berth/work/other-1',
    '../other',
    '.',
    'ssh://git@github.com/a/b',
    'git@github.com:a/b',
    '--upload-pack=touch /tmp/pwn',
  ])('T03, T04: URL %j', async (url) => {
    await expect(checkOut(url)).rejects.toMatchObject({
      code: 'clone_forbidden',
    });
    expect(existsSync('/tmp/pwn')).toBe(false);
  });

  test.each([
    'main; touch /tmp/pwn',
    '$(touch /tmp/pwn)',
    '`touch /tmp/pwn`',
    'main&id',
    'main\nid',
    '--upload-pack=touch /tmp/pwn',
    '-u',
    '--orphan=x',
    '--config=core.hooksPath=/tmp',
    '-cx=y',
  ])('T01, T02: branch %j', async (branch) => {
    const remote = await listen((_incoming, outgoing) => void outgoing.end());
    await expect(
      checkOut(`http://${remote.host}/x`, { branch }, { privateHosts: [remote.host] }),
    ).rejects.toMatchObject({ code: 'invalid_ref' });
    expect(remote.connections).toBe(0);
    expect(existsSync('/tmp/pwn')).toBe(false);
  });

  test('T05: private addresses in every spelling, with no connection made', async () => {
    const target = await listen((_incoming, outgoing) => void outgoing.end());
    const port = target.host.split(':')[1];
    for (const url of [
      `https://127.0.0.1:${port}/x`,
      `https://2130706433:${port}/x`,
      `https://[::ffff:127.0.0.1]:${port}/x`,
      `http://${target.host}/x`,
      'https://127.0.0.1/x',
      'https://169.254.169.254/x',
    ]) {
      await expect(checkOut(url)).rejects.toMatchObject({
        code: 'clone_forbidden',
      });
    }
    expect(target.connections).toBe(0);
  });

  test.each([
    ['loopback', ['127.0.0.1']],
    ['one private among public ones', ['140.82.121.3', '10.0.0.1']],
    ['a mapped one', ['::ffff:192.168.0.1']],
    ['none', []],
  ])('T05: a public name whose addresses are: %s', async (_case, addresses) => {
    const resolveHost = async () => addresses;
    await expect(checkOut('https://localtest.me/x', {}, { resolveHost })).rejects.toMatchObject({
      code: 'clone_forbidden',
    });
  });

  test('T07: the resolver is asked once, and Git connects to what was checked', async () => {
    const answers = [['140.82.121.3'], ['127.0.0.1']];
    const source = {
      url: 'https://rebinding.example/x',
      protocol: 'https',
      host: 'rebinding.example',
      isPrivate: false,
      branch: null,
      commitSha: null,
    } as const;
    const addresses = await checkAddresses(source, async () => answers.shift() ?? []);
    expect(pinFor(source, addresses ?? [])).toBe('rebinding.example:443:140.82.121.3');
    expect(answers).toHaveLength(1);

    // That Git obeys such a pin shows a name that no resolver knows.
    const remote = await listen((_incoming, outgoing) => void outgoing.writeHead(404).end());
    const port = remote.host.split(':')[1];
    const git = bareGit(`pinned.invalid:${port}:127.0.0.1`);
    await expect(git(['ls-remote', `http://pinned.invalid:${port}/x`])).rejects.toMatchObject({
      output: expect.stringContaining('not found'),
    });
    expect(remote.requests).toHaveLength(1);
  });

  test.each(['file:///etc', '/etc', 'ext::sh -c id', 'ssh://git@127.0.0.1/x', 'git://127.0.0.1/x'])(
    'T03, T04: should %s ever reach Git, Git refuses it',
    async (url) => {
      await expect(bareGit()(['ls-remote', '--', url])).rejects.toMatchObject({
        output: expect.stringContaining('not allowed'),
      });
    },
  );

  test('Git reads nobody’s configuration and has no hooks', async () => {
    const git = bareGit();
    await git(['init', '--template=']);
    const scopes = (await git(['config', '--list', '--show-scope'])).trim().split('\n');
    expect(new Set(scopes.map((line) => line.split('\t')[0]))).toEqual(new Set(['command', 'local']));
    expect(existsSync(join(lab.workDir, '.git/hooks'))).toBe(false);
    rmSync(join(lab.workDir, '.git'), { recursive: true });
  });
});

function bareGit(pin: string | null = null): RunGit {
  return prepareGit({
    directory: lab.workDir,
    protocol: 'http',
    configFile: null,
    pin,
    caFile: null,
    lowSpeedSeconds: 5,
    signal: new AbortController().signal,
    onFlood: () => undefined,
  });
}

describe('a remote that misbehaves', () => {
  test('T06: a redirect is not followed', async () => {
    const target = await listen((_incoming, outgoing) => void outgoing.end());
    const remote = await listen((incoming, outgoing) => {
      outgoing.writeHead(302, { Location: `http://${target.host}${incoming.url}` }).end();
    });
    await expect(
      checkOut(`http://${remote.host}/acme/web`, {}, { privateHosts: [remote.host] }),
    ).rejects.toMatchObject({ code: 'repository_moved', message: expect.stringContaining('redirects') });
    expect(target.connections).toBe(0);
    // GitLab's kind of redirect, to the name with `.git`, is tried on the same host.
    expect(remote.requests).toEqual([
      '/acme/web/info/refs?service=git-upload-pack',
      '/acme/web.git/info/refs?service=git-upload-pack',
    ]);
  });

  test.each([
    [401, 'clone_unauthorized'],
    [403, 'clone_unauthorized'],
    [404, 'clone_failed'],
    [503, 'git_host_unavailable'],
  ])('answers %i: %s', async (status, code) => {
    const remote = await listen((_incoming, outgoing) => {
      outgoing.writeHead(status, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
    });
    await expect(
      checkOut(`http://${remote.host}/x`, {}, { privateHosts: [remote.host] }),
    ).rejects.toMatchObject({
      code,
      message: expect.stringContaining(remote.host),
    });
  });

  test('is not there: git_host_unavailable', async () => {
    const options = { privateHosts: ['127.0.0.1:9'] };
    await expect(checkOut('http://127.0.0.1:9/x', {}, options)).rejects.toMatchObject({
      code: 'git_host_unavailable',
    });
  });

  test('F27: never answers: clone_timeout, and no process of Git is left', async () => {
    const remote = await listen(() => undefined);
    const started = performance.now();
    await expect(
      checkOut(`http://${remote.host}/x`, {}, { privateHosts: [remote.host], timeoutSeconds: 1 }),
    ).rejects.toMatchObject({ code: 'clone_timeout', message: expect.stringContaining('1 second') });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(gitProcessesIn(lab.workDir)).toEqual([]);
  });

  test('answers with more than anyone would read: ended before it fills the memory', async () => {
    const remote = await listen((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'Content-Type': 'application/x-git-upload-pack-advertisement' });
      outgoing.write(`${packet('# service=git-upload-pack\n')}0000`);
      const long = 'x'.repeat(200);
      for (let n = 0; n < 100_000; n += 1) {
        const capabilities = n === 0 ? '\0 agent=x' : '';
        outgoing.write(packet(`${'a'.repeat(40)} refs/heads/${long}${n}/refs/heads/main${capabilities}\n`));
      }
      outgoing.end('0000');
    });
    await expect(
      checkOut(`http://${remote.host}/x`, { branch: null }, { privateHosts: [remote.host] }),
    ).rejects.toMatchObject({ code: 'clone_too_large', message: expect.stringContaining('messages') });
  });
});

describe('stopping', () => {
  test('an abort rejects with its reason, long before the limit; folder and processes are gone', async () => {
    const remote = await listen(() => undefined);
    const cancel = new AbortController();
    const reason = new Error('cancelled by its owner');
    const checkout = checkOut(
      `http://${remote.host}/x`,
      {},
      { privateHosts: [remote.host], signal: cancel.signal },
    );
    const settled = checkout.catch((error: unknown) => error);
    await waitUntil('Git to ask', () => remote.requests.length > 0);
    const aborted = performance.now();
    cancel.abort(reason);
    expect(await settled).toBe(reason);
    expect(performance.now() - aborted).toBeLessThan(10_000);
    expect(gitProcessesIn(lab.workDir)).toEqual([]);
  });

  test('an abort does not wait for a slow resolver', async () => {
    const cancel = new AbortController();
    const resolveHost = () => new Promise<never>(() => undefined);
    const checkout = checkOut('https://example.com/x', {}, { resolveHost, signal: cancel.signal });
    cancel.abort(new Error('stop'));
    await expect(checkout).rejects.toThrow('stop');
  });

  test('an aborted signal starts nothing', async () => {
    await expect(
      checkOut('https://example.com/x', {}, { signal: AbortSignal.abort(new Error('late')) }),
    ).rejects.toThrow('late');
  });

  test('F02: remove ends the processes that a killed worker left, and only those of that attempt', async () => {
    const remote = await listen(() => undefined);
    const folders = ['abcdefghij-1', 'abcdefghij-2', 'klmnopqrst-1'];
    const children = folders.map((folder) => startGitIn(folder, remote.host));
    await waitUntil('Git to ask three times', () => remote.requests.length === 3);
    // As after `kill -9` of the worker: git is gone, its remote-http goes on with nobody to end it.
    await Promise.all(children.map(kill9));
    const busy = () => folders.filter((folder) => gitProcessesIn(join(lab.workDir, folder)).length > 0);
    expect(busy()).toEqual(folders);

    const checkouts = lab.checkouts();
    await checkouts.remove('abcdefghij', 1);
    expect(busy()).toEqual(['abcdefghij-2', 'klmnopqrst-1']);
    expect((await checkouts.listDeployments()).toSorted()).toEqual(['abcdefghij', 'klmnopqrst']);

    await checkouts.remove('abcdefghij');
    expect(busy()).toEqual(['klmnopqrst-1']);

    // The folder may be gone before the process is.
    rmSync(join(lab.workDir, 'klmnopqrst-1'), { recursive: true });
    await checkouts.remove('klmnopqrst');
    expect(busy()).toEqual([]);
    await checkouts.remove('klmnopqrst');
  });
});

function startGitIn(folder: string, host: string): ChildProcess {
  mkdirSync(join(lab.workDir, folder));
  return spawn('git', ['ls-remote', `http://${host}/x`], { cwd: join(lab.workDir, folder), stdio: 'ignore' });
}

async function kill9(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, '0') + text;
}
