import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { InvalidConfig, loadConfig, SETTING_NAMES } from './load-config.ts';

describe('.env.example', () => {
  const text = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
  const example = parseEnv(text);
  const secrets = {
    DATABASE_URL: 'postgresql://berth:hunter2@127.0.0.1:5432/berth',
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SESSION_SECRET: randomBytes(32).toString('base64'),
  };

  test('names every setting the program reads, and nothing else', () => {
    expect(Object.keys(example).sort()).toEqual([...SETTING_NAMES].sort());
  });

  test('explains each setting on the line above it', () => {
    const lines = text.split('\n');
    const unexplained = lines.filter(
      (line, at) => /^[A-Z_]+=/.test(line) && !/^# [^-]/.test(lines[at - 1] ?? ''),
    );
    expect(unexplained).toEqual([]);
  });

  test('T49: holds no secret, so that as it is nothing starts', () => {
    for (const name of Object.keys(secrets)) expect(example[name]).toBe('');
    expect(() => loadConfig(example)).toThrow(InvalidConfig);
  });

  test('shows the true defaults: with the secrets filled in it is the same as the secrets alone', () => {
    expect(loadConfig({ ...example, ...secrets })).toEqual(loadConfig(secrets));
  });
});
