import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { InvalidConfig, loadConfig, SETTING_NAMES } from './load-config.ts';
import { loadStartSettings, START_SETTING_NAMES } from './start-settings.ts';

describe('.env.example', () => {
  const text = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
  const example = parseEnv(text);
  const secrets = {
    DATABASE_URL: 'postgresql://berth:hunter2@127.0.0.1:5432/berth',
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SESSION_SECRET: randomBytes(32).toString('base64'),
  };

  // ${NAME:-default}, ${NAME:?what to do}
  const compose = [
    ...readFileSync(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8').matchAll(
      /\$\{([A-Z_]+)(?::-([^}]*))?/g,
    ),
  ].map(([, name = '', fallback]) => ({ name, fallback }));

  test('names every setting the programs and docker-compose.yml read, and nothing else', () => {
    const names = new Set([...SETTING_NAMES, ...START_SETTING_NAMES, ...compose.map(({ name }) => name)]);
    expect(Object.keys(example).sort()).toEqual([...names].sort());
  });

  test('shows the defaults of docker-compose.yml', () => {
    expect(compose.length).toBeGreaterThan(20);
    for (const { name, fallback } of compose) {
      // Without a default it is a secret, or the default is told in words.
      if (fallback !== undefined && example[name] !== '')
        expect([name, fallback]).toEqual([name, example[name]]);
    }
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
    // bin/up chooses these two where they are unset.
    const chosen = { HTTP_PORT: '80', NODE_IMAGE: example['NODE_IMAGE'] };
    const { environment: _, ...shown } = loadStartSettings(example);
    const { environment: __, ...defaults } = loadStartSettings(chosen);
    expect(shown).toEqual(defaults);
  });
});
