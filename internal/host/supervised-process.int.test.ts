import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitUntil } from '../../test/support/wait-until.ts';
import { LogFile } from './log-file.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';
import { SupervisedProcess } from './supervised-process.ts';

let folder: string;
let running: SupervisedProcess | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-host-'));
});
afterEach(async () => {
  await running?.stop();
  running = null;
  rmSync(folder, { recursive: true, force: true });
});

function supervise(script: string) {
  const seen = { identities: [] as (ProcessIdentity | null)[], exits: [] as string[], waits: [] as number[] };
  const process_ = new SupervisedProcess(
    {
      name: 'tried',
      command: process.execPath,
      args: ['-e', script],
      directory: folder,
      environment: { PATH: process.env['PATH'] },
      graceMs: 5_000,
    },
    new LogFile(folder, 'tried'),
    {
      onIdentity: (_name, identity) => seen.identities.push(identity),
      onExit: (_name, how, restartInMs) => {
        seen.exits.push(how);
        seen.waits.push(restartInMs);
      },
    },
  );
  running = process_;
  process_.start();
  const pid = () => seen.identities.at(-1)?.pid ?? null;
  const logged = () => process_.log.tail(100).filter((line) => line !== '');
  return { process: process_, seen, pid, logged };
}

const STAYS = "console.log('up'); setInterval(() => {}, 1e6);";

test('a killed process is started again, and its output stays in one log', async () => {
  const { seen, pid, logged } = supervise(STAYS);
  await waitUntil('the first start', () => logged().length === 1);
  const first = pid();
  process.kill(first ?? 0, 'SIGKILL');
  await waitUntil('the second start', () => logged().length === 2);
  expect(pid()).not.toBe(first);
  expect(seen.exits).toEqual(['was ended by SIGKILL']);
});

test('one that ends at once is started again more and more slowly', async () => {
  const { seen } = supervise("console.log('no'); process.exit(3)");
  await waitUntil('three ends', () => seen.exits.length >= 3);
  expect(seen.exits[0]).toBe('ended with code 3');
  expect(seen.waits.slice(0, 3)).toEqual([200, 400, 800]);
});

test('one that was stopped stays away', async () => {
  const { process: supervised, seen, logged } = supervise(STAYS);
  await waitUntil('the start', () => logged().length === 1);
  await supervised.stop();
  expect(supervised.isRunning && seen.exits.length > 0).toBe(false);
  const identities = seen.identities.filter((identity) => identity !== null);
  expect(identities.map(({ pid }) => identifyProcess(pid))).toEqual([null]);
});

test('what a killed process had started is ended with it', async () => {
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
    require('node:fs').writeFileSync('child', String(child.pid)); ${STAYS}`;
  const { pid, logged } = supervise(script);
  await waitUntil('the start', () => logged().length === 1);
  const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
  expect(identifyProcess(child)).not.toBeNull();
  process.kill(pid() ?? 0, 'SIGKILL');
  await waitUntil('the end of what it started', () => identifyProcess(child) === null);
});

test('a full log is put aside while the process writes on', async () => {
  const log = new LogFile(folder, 'tried', 10);
  const { logged } = supervise("setInterval(() => console.log('a line of text'), 20)");
  await waitUntil('some lines', () => logged().length >= 3);
  log.rotate();
  await waitUntil('new lines in the new file', () => logged().length >= 1);
  expect(readFileSync(`${log.path}.1`, 'utf8')).toContain('a line of text\n');
  // Appended at the start, not behind a hole of the old size.
  expect(readFileSync(log.path, 'utf8').startsWith('a line')).toBe(true);
});
