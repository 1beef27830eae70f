import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { commitSample, sampleRepository } from './sample-repository.ts';

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-sample-'));
  dataDir = mkdtempSync(join(tmpdir(), 'berth-host-'));
  writeFileSync(join(folder, 'server.js'), 'one');
});
afterEach(() => {
  for (const path of [folder, dataDir]) rmSync(path, { recursive: true, force: true });
});

const environment = { PATH: process.env['PATH'] };
const git = (...args: string[]) =>
  execFileSync('git', [`--git-dir=${sampleRepository(dataDir)}`, ...args], { encoding: 'utf8' });
const commits = () => git('rev-list', 'main').trim().split('\n').length;

test('the folder is committed to main, and again only when it has changed', async () => {
  await commitSample(folder, dataDir, environment);
  await commitSample(folder, dataDir, environment);
  expect(commits()).toBe(1);
  writeFileSync(join(folder, 'server.js'), 'two');
  await commitSample(folder, dataDir, environment);
  expect(commits()).toBe(2);
  expect(git('show', 'main:server.js')).toBe('two');
});

test("the caller's own repository is left alone, whatever GIT_DIR says", async () => {
  const own = mkdtempSync(join(tmpdir(), 'berth-own-'));
  execFileSync('git', ['init', '--quiet', own]);
  await commitSample(folder, dataDir, { ...environment, GIT_DIR: join(own, '.git'), GIT_INDEX_FILE: 'x' });
  expect(commits()).toBe(1);
  const status = execFileSync('git', ['-C', own, 'count-objects'], { encoding: 'utf8' });
  rmSync(own, { recursive: true, force: true });
  expect(status).toMatch(/^0 objects/);
});
