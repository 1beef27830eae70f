import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadOrMakeSecrets, makeDataDir } from './data-dir.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-host-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mode = (path: string) => statSync(path).mode & 0o777;

test('others may pass through the folder, not look into it', () => {
  const dataDir = join(folder, 'new/data');
  makeDataDir(dataDir, '/checkout');
  expect(mode(dataDir)).toBe(0o711);
});

test.each([['/checkout'], ['/checkout/data']])(
  '%s is refused: it is the checkout or inside it',
  (dataDir) => {
    expect(() => makeDataDir(dataDir, '/checkout')).toThrow('inside the checkout');
  },
);

test('a folder that cannot be made is told with what to set', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeDataDir(join(folder, 'file/data'), '/checkout')).toThrow('set DATA_DIR');
});

test('T77: secrets are made once, of 32 bytes, readable by the owner alone', () => {
  const made = loadOrMakeSecrets(folder);
  expect(Buffer.from(made.ENCRYPTION_KEY, 'base64')).toHaveLength(32);
  expect(made.SESSION_SECRET).not.toBe(made.ENCRYPTION_KEY);
  expect(mode(join(folder, 'secrets.env'))).toBe(0o600);
  expect(loadOrMakeSecrets(folder)).toEqual(made);
});

test('T77: two installations have different secrets', () => {
  const other = mkdtempSync(join(folder, 'other-'));
  expect(loadOrMakeSecrets(other).ENCRYPTION_KEY).not.toBe(loadOrMakeSecrets(folder).ENCRYPTION_KEY);
});

test('T71: keys of before, written there by hand, are read with the others', () => {
  const made = loadOrMakeSecrets(folder);
  appendFileSync(join(folder, 'secrets.env'), 'OLD_ENCRYPTION_KEYS=one,two\n');
  expect(loadOrMakeSecrets(folder)).toEqual({ ...made, OLD_ENCRYPTION_KEYS: 'one,two' });
});

test('a damaged file is never written over: the old key may still be in it', () => {
  const path = join(folder, 'secrets.env');
  writeFileSync(path, 'ENCRYPTION_KEY=abc\n');
  expect(() => loadOrMakeSecrets(folder)).toThrow('damaged');
  expect(readFileSync(path, 'utf8')).toBe('ENCRYPTION_KEY=abc\n');
});
