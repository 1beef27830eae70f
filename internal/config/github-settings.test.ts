import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { GithubSettings } from './config.ts';
import { InvalidConfig, loadConfig } from './load-config.ts';

const enough = {
  DATABASE_URL: 'postgresql://berth:hunter2@127.0.0.1:5432/berth',
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  SESSION_SECRET: randomBytes(32).toString('base64'),
  PUBLIC_URL: 'https://berth.example.org/',
};
const settings = (changes: Record<string, string>): GithubSettings =>
  loadConfig({ ...enough, ...changes }).github;

/** The problems, or none. */
function problemsWith(changes: Record<string, string>): readonly string[] {
  try {
    settings(changes);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const pkcs1 = rsa.export({ type: 'pkcs1', format: 'pem' }).toString();
const pkcs8 = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();
const app = {
  GITHUB_APP_ID: '123456',
  GITHUB_PRIVATE_KEY: pkcs1,
  GITHUB_WEBHOOK_SECRET: randomBytes(32).toString('hex'),
};
const oauth = { GITHUB_CLIENT_ID: 'Iv1.0123456789abcdef', GITHUB_CLIENT_SECRET: 'f'.repeat(40) };

describe('GitHub', () => {
  test('is github.com, with nobody signed in and no App, when nothing is set', () => {
    expect(settings({})).toEqual({
      url: 'https://github.com',
      apiUrl: 'https://api.github.com',
      oauth: null,
      app: null,
      allowedUsers: [],
      allowedOrgs: [],
      webhookBaseUrl: 'https://berth.example.org/webhooks/github',
    });
  });

  test.each<[Record<string, string>, Partial<GithubSettings>]>([
    [
      { GITHUB_URL: 'https://git.acme.test/' },
      { url: 'https://git.acme.test', apiUrl: 'https://git.acme.test/api/v3' },
    ],
    [
      { GITHUB_URL: 'https://git.acme.test', GITHUB_API_URL: 'https://api.git.acme.test/' },
      { apiUrl: 'https://api.git.acme.test' },
    ],
    [{ GITHUB_ALLOWED_USERS: ' Octocat, hubot ,,' }, { allowedUsers: ['octocat', 'hubot'] }],
    [{ GITHUB_ALLOWED_ORGS: 'ACME' }, { allowedOrgs: ['acme'] }],
    [
      { WEBHOOK_BASE_URL: 'https://hooks.example.org/gh/' },
      { webhookBaseUrl: 'https://hooks.example.org/gh' },
    ],
  ])('%j', (changes, expected) => {
    expect(settings(changes)).toMatchObject(expected);
  });

  test('leads back to PUBLIC_URL after the sign-in, unless set otherwise', () => {
    expect(settings(oauth).oauth?.callbackUrl).toBe('https://berth.example.org/auth/github/callback');
    const elsewhere = { GITHUB_CALLBACK_URL: 'https://other.example.org/back' };
    expect(settings({ ...oauth, ...elsewhere }).oauth?.callbackUrl).toBe('https://other.example.org/back');
  });
});

describe('the private key of the App', () => {
  test.each([
    ['as GitHub gives it', pkcs1],
    ['as PKCS#8', pkcs8],
    ['on one line, with \\n', pkcs1.replaceAll('\n', '\\n')],
    ['in base64', Buffer.from(pkcs1).toString('base64')],
    ['in base64 of many lines', Buffer.from(pkcs1).toString('base64').replace(/.{76}/g, '$&\n')],
  ])('is read %s', (_how, text) => {
    const key = settings({ ...app, GITHUB_PRIVATE_KEY: text }).app?.privateKey.reveal();
    expect(key?.trim()).toBe((text === pkcs8 ? pkcs8 : pkcs1).trim());
  });

  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  test.each([
    ['no key', 'hunter2'],
    ['its first line only', '-----BEGIN RSA PRIVATE KEY-----'],
    ['of another kind', elliptic.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['cut off', pkcs1.slice(0, 200)],
  ])('is refused when it is %s, without being shown', (_what, text) => {
    expect(problemsWith({ ...app, GITHUB_PRIVATE_KEY: text })).toEqual([
      'GITHUB_PRIVATE_KEY must be the private key of the GitHub App: PEM, with \\n for line ends, or in base64',
    ]);
  });
});

describe('what belongs together is asked for together', () => {
  test.each<[Record<string, string>, readonly string[]]>([
    [{ GITHUB_CLIENT_ID: 'x' }, ['GITHUB_CLIENT_SECRET is missing; GITHUB_CLIENT_ID needs it']],
    [{ GITHUB_CLIENT_SECRET: 'x' }, ['GITHUB_CLIENT_ID is missing; GITHUB_CLIENT_SECRET needs it']],
    [
      { GITHUB_APP_ID: '1' },
      [
        'GITHUB_PRIVATE_KEY is missing; GITHUB_APP_ID needs it',
        'GITHUB_WEBHOOK_SECRET is missing; GITHUB_APP_ID needs it',
      ],
    ],
    [{ ...app, GITHUB_WEBHOOK_SECRET: '' }, ['GITHUB_WEBHOOK_SECRET is missing; GITHUB_APP_ID needs it']],
    [{ ...app, ...oauth }, []],
  ])('%#', (changes, problems) => {
    expect(problemsWith(changes)).toEqual(problems);
  });
});

test.each([
  ['GITHUB_URL', 'github.com'],
  ['GITHUB_API_URL', 'ftp://api.github.com'],
  ['GITHUB_CALLBACK_URL', '/auth/github/callback'],
  ['WEBHOOK_BASE_URL', 'berth.example.org'],
  ['GITHUB_APP_ID', 'berth-app'],
  ['GITHUB_WEBHOOK_SECRET', 'short'],
  ['GITHUB_ALLOWED_USERS', 'ada lovelace'],
  ['GITHUB_ALLOWED_ORGS', '@acme'],
])('%s may not be %j', (name, value) => {
  expect(problemsWith({ ...app, [name]: value })).toEqual([expect.stringMatching(`^${name} must `)]);
});
