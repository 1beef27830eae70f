import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { fingerprintOf, newDeployKey } from './deploy-key.ts';

test('OpenSSH reads what is made, whatever the length of the comment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-key-'));
  try {
    for (const comment of ['b', 'berth-shop', 'berth-a-name-of-an-app-that-is-longer-than-most']) {
      const key = newDeployKey(comment);
      const file = join(folder, comment);
      await writeFile(file, key.privateKey.reveal(), { mode: 0o600 });
      const read = await promisify(execFile)('ssh-keygen', ['-y', '-f', file]);
      expect(read.stdout.trim()).toBe(key.publicKey);
      const told = await promisify(execFile)('ssh-keygen', ['-l', '-f', file]);
      expect(told.stdout).toBe(`256 ${fingerprintOf(key.publicKey)} ${comment} (ED25519)\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('no two are the same', () => {
  const keys = new Set(Array.from({ length: 20 }, () => newDeployKey('x').publicKey));
  expect(keys.size).toBe(20);
});
