import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { endProcess, identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts';

function startSleeper(script = 'setInterval(() => {}, 1e6)'): { pid: number; end(): void } {
  const child = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (child.pid === undefined) throw new Error('the sleeper did not start');
  return { pid: child.pid, end: () => child.kill('SIGKILL') };
}

function identify(pid: number): ProcessIdentity {
  const identity = identifyProcess(pid);
  if (identity === null) throw new Error(`process ${pid} is not there`);
  return identity;
}

test('a process that was given an old number later is never touched', async () => {
  const sleeper = startSleeper();
  const stranger = { pid: sleeper.pid, started: 'another boot/1' };
  expect(isAlive(stranger)).toBe(false);
  await endProcess(stranger, 100);
  const survived = isAlive(identify(sleeper.pid));
  sleeper.end();
  expect(survived).toBe(true);
});

test('a process that ignores SIGTERM is killed after the grace, and counts as gone at once', async () => {
  const child = spawn(
    process.execPath,
    ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('up')"],
    { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? 0);
  await endProcess(identity, 200);
  expect(isAlive(identity)).toBe(false);
  expect(identifyProcess(identity.pid)).toBeNull();
});

test('a process that is gone needs no ending', async () => {
  const sleeper = startSleeper();
  const identity = identify(sleeper.pid);
  await endProcess(identity, 2_000);
  await endProcess(identity, 2_000);
  expect(isAlive(identity)).toBe(false);
});
