import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AttemptLimits, type LimitOptions, startLimits } from './attempt-limits.ts';

let directory: string;
let limits: AttemptLimits;

beforeEach(() => {
  directory = mkdtempSync('/tmp/berth-limits-');
});
afterEach(() => {
  limits.stop();
  rmSync(directory, { recursive: true });
});

function start(options: Partial<LimitOptions> = {}): AttemptLimits {
  limits = startLimits({
    directory,
    timeoutSeconds: 20,
    maxMegabytes: 1,
    maxEntries: 100,
    signal: new AbortController().signal,
    ...options,
  });
  return limits;
}

test('T10: a folder that grows past the bytes allowed aborts the attempt while it runs', async () => {
  const { signal } = start();
  writeFileSync(join(directory, 'pack'), Buffer.alloc(2 * 1024 * 1024));
  await once(signal, 'abort');
  expect(signal.reason).toMatchObject({ code: 'clone_too_large' });
});

test('T10: so does one with too many entries', async () => {
  const { signal } = start({ maxEntries: 3 });
  mkdirSync(join(directory, 'a/b/c/d'), { recursive: true });
  await once(signal, 'abort');
  expect(signal.reason).toMatchObject({ code: 'clone_too_large' });
});

test('links are counted as entries, and not followed', async () => {
  start({ maxEntries: 2 });
  symlinkSync('/usr', join(directory, 'usr'));
  await limits.check();
});

test('time over aborts; the caller’s own reason comes through', async () => {
  const slow = start({ timeoutSeconds: 0.05 });
  await once(slow.signal, 'abort');
  expect(slow.signal.reason).toMatchObject({ code: 'clone_timeout' });
  slow.stop();

  const cancel = new AbortController();
  const cancelled = start({ signal: cancel.signal });
  const reason = new Error('cancelled');
  cancel.abort(reason);
  expect(cancelled.signal.reason).toBe(reason);
});
