import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { defaultDataDir, InvalidConfig, loadConfig, loadDatabaseUrl, SETTING_NAMES } from './load-config.ts';

const checkout = join(import.meta.dirname, '../..');
const enough = {
  DATABASE_URL: 'postgresql://berth:hunter2@127.0.0.1:5432/berth',
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  SESSION_SECRET: randomBytes(32).toString('base64'),
};

/** The problems, or none. */
function problemsWith(changes: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig({ ...enough, ...changes });
    return [];
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
}

describe('settings', () => {
  test('need a database and two secrets, and nothing more', () => {
    const config = loadConfig(enough);
    expect(config).toMatchObject({
      apiPort: 8080,
      baseDomain: 'localhost',
      pollIntervalMs: 2000,
      notify: true,
    });
    expect(config.publicUrl).toBe('http://berth.localhost:80');
    expect(config.databaseUrl.reveal()).toBe(enough.DATABASE_URL);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('that are wrong are all named at once, one line each', () => {
    const problems = problemsWith({
      DATABASE_URL: undefined,
      ENCRYPTION_KEY: 'short',
      PORT: '8081',
      POLL_INTERVAL_MS: '5',
      LOG_LEVEL: 'loud',
      DATA_DIR: 'relative',
    });
    const named = problems.map((problem) => problem.split(' ')[0] ?? '');
    expect(named.sort()).toEqual([
      'DATABASE_URL',
      'DATA_DIR',
      'ENCRYPTION_KEY',
      'LOG_LEVEL',
      'POLL_INTERVAL_MS',
      'PORT',
    ]);
  });

  test('that are empty count as unset', () => {
    expect(loadConfig({ ...enough, PORT: '', DATA_DIR: '', GIT_ALLOWED_HOSTS: '' })).toEqual(
      loadConfig(enough),
    );
  });

  test.each([
    ['PORT', ['0', '65536', '80.5', '-1', '0x50', '8e3', 'http', ' ']],
    ['POLL_INTERVAL_MS', ['49', '60001', 'fast']],
    ['LEASE_SECONDS', ['2', '31']],
    ['QUEUE_NOTIFY', ['perhaps']],
    ['BUILD_CPUS', ['0', 'many']],
    ['BASE_DOMAIN', ['UPPER.example', 'a b', 'example.org:80', 'a..b', '`)||x']],
    ['DOCKER_HOST', ['tcp://10.0.0.1:2375', 'ssh://host', '/var/run/docker.sock']],
    ['DATABASE_URL', ['mysql://x/y', 'localhost', 'postgresql://[bad/x']],
    ['NETWORK_POOL', ['10.0.0.0', '10.0.0.0/28', 'fd00::/8']],
    ['PUBLIC_URL', ['berth.example.org', 'ftp://example.org']],
    ['NODE_IMAGE', ['Node Image', '-x', 'a\nRUN x']],
    ['CORS_ORIGINS', ['*', 'https://a.example,*']],
    ['WORK_DIR', ['work']],
    ['LOG_LEVEL', ['verbose']],
  ])('%s is refused when it is one of %j', (name, values) => {
    for (const value of values) {
      const problems = problemsWith({ [name]: value });
      expect([value, problems.map((problem) => problem.split(' ')[0])]).toEqual([value, [name]]);
    }
  });

  test('keep three listeners on three ports', () => {
    expect(problemsWith({ PORT: '80' })).toEqual([expect.stringMatching(/^PORT must differ/)]);
    expect(problemsWith({ PORT: '80', HTTP_PORT: '8080' })).toEqual([]);
  });

  test.each([checkout, join(checkout, 'data'), join(checkout, 'x/../data')])(
    'DATA_DIR inside the checkout is refused: %s',
    (path) => {
      expect(problemsWith({ DATA_DIR: path })).toEqual([
        expect.stringMatching(/^DATA_DIR must not be inside/),
      ]);
    },
  );

  test('DATA_DIR beside the checkout is fine, also with a name that begins alike', () => {
    expect(problemsWith({ DATA_DIR: `${checkout}-data` })).toEqual([]);
  });

  test('put clones and gate files into DATA_DIR', () => {
    const config = loadConfig({ ...enough, DATA_DIR: '/srv/berth' });
    expect([config.workDir, config.gateDir]).toEqual(['/srv/berth/work', '/srv/berth/gate']);
    expect(defaultDataDir(true)).toBe('/var/lib/berth');
  });

  test('split lists at commas', () => {
    const config = loadConfig({ ...enough, GIT_ALLOWED_HOSTS: ' git.example.org, ,github.com ' });
    expect(config.gitAllowedHosts).toEqual(['git.example.org', 'github.com']);
  });

  test('let a fault be planted in tests only', () => {
    expect(loadConfig({ ...enough, FAULT_AT: 'gating' }).faultAt).toBeNull();
    expect(loadConfig({ ...enough, FAULT_AT: 'gating', NODE_ENV: 'test' }).faultAt).toBe('gating');
  });

  test.each([
    ['PUBLIC_URL', 'https://berth.example.org'],
    ['API_ADDRESS', '0.0.0.0'],
    ['API_ADDRESS', '192.168.1.10'],
    ['API_ADDRESS', '::'],
  ])('T53: AUTH=none is refused with %s=%s', (name, value) => {
    expect(problemsWith({ AUTH: 'none', [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name} must .* with AUTH=none`)),
    ]);
    expect(problemsWith({ [name]: value })).toEqual([]);
    expect(problemsWith({ AUTH: 'none', [name]: value, PORT: 'many' })).toHaveLength(2);
  });

  test('AUTH=none gives out addresses of this machine', () => {
    expect(loadConfig({ ...enough, AUTH: 'none', PORT: '9090' })).toMatchObject({
      auth: 'none',
      publicUrl: 'http://localhost:9090',
    });
    expect(problemsWith({ AUTH: 'off' })).toEqual(['AUTH must be token or none']);
  });

  test('for migrations are the database alone', () => {
    expect(loadDatabaseUrl({ DATABASE_URL: enough.DATABASE_URL }).reveal()).toBe(enough.DATABASE_URL);
    expect(() => loadDatabaseUrl({})).toThrow(/^The settings are not usable:\n {2}- DATABASE_URL is missing/);
  });
});

describe('T49: a secret that guards nothing is refused', () => {
  const sequence = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64');

  test.each([
    ['ENCRYPTION_KEY', 'missing', undefined],
    ['ENCRYPTION_KEY', 'short', 'c2hvcnQ='],
    ['ENCRYPTION_KEY', '31 bytes', randomBytes(31).toString('base64')],
    ['ENCRYPTION_KEY', '33 bytes', randomBytes(33).toString('base64')],
    ['ENCRYPTION_KEY', 'all zeros', Buffer.alloc(32).toString('base64')],
    ['ENCRYPTION_KEY', 'one byte 32 times', Buffer.alloc(32, 7).toString('base64')],
    ['ENCRYPTION_KEY', '0, 1, 2 and so on', sequence],
    ['ENCRYPTION_KEY', 'hexadecimal', randomBytes(32).toString('hex')],
    ['ENCRYPTION_KEY', 'an example', Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')],
    ['SESSION_SECRET', 'missing', undefined],
    ['SESSION_SECRET', 'short', 'kJ8#sKq0'],
    ['SESSION_SECRET', 'an example', 'change-me-to-a-long-random-string-please'],
    ['SESSION_SECRET', 'an example', 'supersecretvalueofatleastthirtytwochars'],
    ['SESSION_SECRET', 'one character over and over', 'x'.repeat(64)],
  ])('%s: %s', (name, _kind, value) => {
    const problems = problemsWith({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} .*openssl rand -base64 32`));
  });

  test('the same value for both', () => {
    expect(problemsWith({ SESSION_SECRET: enough.ENCRYPTION_KEY })).toEqual([
      expect.stringMatching(/^SESSION_SECRET must differ from ENCRYPTION_KEY/),
    ]);
  });

  test('a real one passes, also without padding', () => {
    expect(problemsWith({ ENCRYPTION_KEY: enough.ENCRYPTION_KEY.replace('=', '') })).toEqual([]);
    for (let count = 0; count < 100; count += 1) {
      expect(problemsWith({ ENCRYPTION_KEY: randomBytes(32).toString('base64') })).toEqual([]);
    }
  });
});

describe('T24: no value of a setting is ever printed', () => {
  const canary = 'canary-value';

  test('in a message about it', () => {
    const all = Object.fromEntries(SETTING_NAMES.map((name) => [name, canary]));
    const error = catchError(() => loadConfig(all));
    expect(error).toBeInstanceOf(InvalidConfig);
    expect(inspect(error, { depth: null })).not.toContain(canary);
  });

  test('of those that are secret, by printing the settings', () => {
    const config = loadConfig(enough);
    for (const printed of [inspect(config, { depth: null }), JSON.stringify(config)]) {
      for (const secret of [...Object.values(enough), 'hunter2']) expect(printed).not.toContain(secret);
    }
  });
});

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
