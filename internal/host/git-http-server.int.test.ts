import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createGitRepository, type GitRepository } from '../../test/support/git-repository.ts';
import { type GitHttpServer, startGitHttpServer } from './git-http-server.ts';

let repository: GitRepository;
let server: GitHttpServer;
let scratch: string;
const big = randomBytes(5 * 1024 * 1024);

beforeAll(async () => {
  repository = await createGitRepository({ 'a.txt': 'first', big });
  writeFileSync(join(repository.folder, 'admin-token'), 'secret');
  mkdirSync(join(repository.folder, 'postgres'));
  server = await startGitHttpServer({ folder: repository.folder });
  scratch = mkdtempSync('/tmp/berth-git-clones-');
});
afterAll(async () => {
  await server.close();
  await repository.remove();
  rmSync(scratch, { recursive: true, force: true });
});

async function git(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0' };
  return (await promisify(execFile)('git', args, { cwd: scratch, env })).stdout.trim();
}

test('a whole clone, megabytes of it, arrives byte for byte', async () => {
  await git('clone', '--quiet', server.url(repository.name), 'whole');
  expect(readFileSync(join(scratch, 'whole/big')).equals(big)).toBe(true);
});

test('a shallow clone, and one without file contents, are served', async () => {
  await repository.commit({ 'a.txt': 'second' }, 'Second');
  await git('clone', '--quiet', '--depth=1', server.url(repository.name), 'shallow');
  expect(await git('-C', 'shallow', 'rev-list', '--count', 'HEAD')).toBe('1');
  await git('clone', '--quiet', '--bare', '--filter=blob:none', server.url(repository.name), 'partial');
  expect(await git('-C', 'partial', 'rev-list', '--count', 'HEAD')).toBe('2');
});

test.each(['0', '2'])('any single commit is served, in protocol %s', async (version) => {
  const asked = await repository.commit({ 'a.txt': 'asked' }, 'Asked for', 'moving');
  await repository.commit({ 'a.txt': 'later' }, 'Later', 'moving');
  const target = `single-${version}`;
  await git('init', '--quiet', target);
  await git(
    '-C',
    target,
    '-c',
    `protocol.version=${version}`,
    'fetch',
    '-q',
    '--depth=1',
    server.url(repository.name),
    asked,
  );
  expect(await git('-C', target, 'rev-parse', 'FETCH_HEAD')).toBe(asked);
});

test('clones at the same time are served side by side', async () => {
  const names = ['one', 'two', 'three', 'four'];
  await Promise.all(names.map((name) => git('clone', '--quiet', server.url(repository.name), name)));
  for (const name of names) expect(readFileSync(join(scratch, name, 'big')).equals(big)).toBe(true);
});

test('a push is refused and changes nothing', async () => {
  await git('clone', '--quiet', server.url(repository.name), 'pushing');
  const before = await repository.head();
  const author = ['-c', 'user.name=Eve', '-c', 'user.email=eve@example.com'];
  await git('-C', 'pushing', ...author, 'commit', '--quiet', '--allow-empty', '--message=Pushed');
  await expect(git('-C', 'pushing', 'push', 'origin', 'HEAD')).rejects.toThrow();
  expect(await repository.head()).toBe(before);
});

describe('nothing but fetching is answered', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/admin-token'],
    ['GET', '/postgres/info/refs?service=git-upload-pack'],
    ['GET', '/app.git/config'],
    ['GET', '/app.git/HEAD'],
    ['GET', '/app.git/info/refs'],
    ['GET', '/app.git/info/refs?service=git-receive-pack'],
    ['POST', '/app.git/git-receive-pack'],
    ['GET', '/..%2fapp.git/info/refs?service=git-upload-pack'],
    ['GET', '/--help.git/info/refs?service=git-upload-pack'],
    ['GET', '/missing.git/info/refs?service=git-upload-pack'],
  ])('%s %s → 404', async (method, path) => {
    const response = await fetch(`http://${server.host}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('secret');
  });
});

test('it listens on loopback only, and a taken port is told', async () => {
  expect(server.host).toBe(`127.0.0.1:${server.port}`);
  await expect(startGitHttpServer({ folder: scratch, port: server.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

test('after close nothing answers', async () => {
  const other = await startGitHttpServer({ folder: repository.folder });
  await git('ls-remote', other.url(repository.name));
  await other.close();
  await expect(git('ls-remote', other.url(repository.name))).rejects.toThrow(/connect/i);
});
