import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRepoUrl, type RepoUrlPolicy } from './repo-url.ts';

const GITHUB: RepoUrlPolicy = { allowedHosts: ['github.com'], privateHosts: [] };
const ANY: RepoUrlPolicy = { allowedHosts: ['*'], privateHosts: [] };
const LOCAL: RepoUrlPolicy = { allowedHosts: ['github.com'], privateHosts: ['127.0.0.1:8300', 'git.lan:80'] };

describe('accepted and rebuilt', () => {
  test.each([
    ['https://github.com/acme/web', 'https://github.com/acme/web'],
    ['https://github.com/acme/web.git', 'https://github.com/acme/web.git'],
    ['HTTPS://GitHub.com:443/acme/web/', 'https://github.com/acme/web'],
    ['acme/web', 'https://github.com/acme/web'],
    ['acme/web.git', 'https://github.com/acme/web.git'],
    ['https://github.com/a/../b/c', 'https://github.com/b/c'],
  ])('%s → %s', (text, url) => {
    expect(parseRepoUrl(text, GITHUB)).toEqual({ ok: true, url, host: 'github.com', isPrivate: false });
  });

  test('any public host, where the operator says so', () => {
    expect(parseRepoUrl('https://dev.azure.com/o/my%20app/_git/x', ANY)).toMatchObject({ ok: true });
    expect(parseRepoUrl('https://8.8.8.8/x', ANY)).toMatchObject({ ok: true, host: '8.8.8.8' });
  });

  test('a private server by its host and port, also without TLS', () => {
    expect(parseRepoUrl('http://127.0.0.1:8300/sample.git', LOCAL)).toEqual({
      ok: true,
      url: 'http://127.0.0.1:8300/sample.git',
      host: '127.0.0.1:8300',
      isPrivate: true,
    });
    expect(parseRepoUrl('http://git.lan/x', LOCAL)).toMatchObject({ ok: true, isPrivate: true });
    expect(parseRepoUrl('http://127.0.0.1:8301/sample.git', LOCAL)).toMatchObject({ ok: false });
    expect(parseRepoUrl('https://git.lan/x', LOCAL)).toMatchObject({ ok: false });
  });
});

const SHELL = [
  'https://github.com/a/b;id',
  'https://github.com/a/$(id)',
  'https://github.com/a/`id`',
  'a/b;id',
];
const TRANSPORTS = [
  'ext::sh -c id',
  'ext::sh',
  'EXT::x',
  'fd::17',
  'transport::address',
  'https::x',
  'https::https://github.com/a/b',
  'ssh://git@github.com/a/b',
  'git@github.com:a/b.git',
  'git://github.com/a/b',
  'ftp://github.com/a/b',
  'http://github.com/a/b',
];
const LOCAL_FILES = [
  '/var/lib/berth/work/other-1',
  'file:///etc',
  'file://github.com/etc',
  '.',
  '../x',
  './x/y',
  'localhost:/x',
  'a/..',
  'C:\\x',
];
const PRIVATE_HOSTS = [
  'https://127.0.0.1/x',
  'https://2130706433/x',
  'https://0x7f.1/x',
  'https://0177.0.0.1/x',
  'https://127.1/x',
  'https://[::1]/x',
  'https://[::ffff:10.0.0.1]/x',
  'https://[::ffff:a00:1]/x',
  'https://[fd00::1]/x',
  'https://169.254.169.254/x',
  'https://100.64.0.1/x',
  'https://localhost/x',
  'https://postgres/x',
  'https://github.com./x',
  'https://github.com@10.0.0.1/x',
  'https://github.com:22/x',
  'https://token@github.com/a/b',
  'https://user:token@github.com/a/b',
  'https://@github.com/a/b',
];
const ODD = [
  '',
  'https:github.com/a/b',
  'https:///github.com/a/b',
  'https:\\\\github.com\\a',
  'https://github.com',
  'https://github.com/',
  'https://github.com//a',
  'https://github.com/a/b?x=1',
  'https://github.com/a/b#x',
  'https://github.com/a/%2e%2e%2fb',
  'https://github.com/a/b\n',
  'https://git\thub.com/a/b',
  ' https://github.com/a/b',
  'https://gıthub.com/a/b',
  '-u/x',
  '--upload-pack=x/y',
];

describe.each([
  ['T01', SHELL],
  ['T03', TRANSPORTS],
  ['T04', LOCAL_FILES],
  ['T05', PRIVATE_HOSTS],
  ['T02', ODD],
])('%s: refused even where any public host is allowed', (_id, texts) => {
  test.each(texts)('%j', (text) => {
    expect(parseRepoUrl(text, ANY)).toEqual({ ok: false, problem: expect.any(String) });
  });
});

test.each(['https://localtest.me/x', 'https://github.com.evil.example/x', 'https://evilgithub.com/x'])(
  'T05: %s is no allowed host',
  (text) => {
    expect(parseRepoUrl(text, GITHUB)).toMatchObject({ ok: false, problem: expect.stringContaining('host') });
  },
);

test('the problem repeats nothing of the text, which may hold a token', () => {
  const parsed = parseRepoUrl('https://canary-4711@github.com/a/b', ANY);
  expect(JSON.stringify(parsed)).not.toContain('canary');
});

test.each([
  ['letters', 'a'.repeat(100_000)],
  ['a host', `https://${'a.'.repeat(50_000)}com/x`],
  ['a path', `https://github.com${'/a'.repeat(50_000)}`],
])('T60: 100 000 characters of %s are refused at once', (_what, text) => {
  const started = performance.now();
  expect(parseRepoUrl(text, ANY).ok).toBe(false);
  // A regular expression that runs away takes far longer.
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('T04: what is accepted is an https URL of the allowed host, and parses to itself', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl({ withFragments: true }), fc.string(), fc.webPath()), (text) => {
      for (const candidate of [text, `https://github.com${text}`]) {
        const parsed = parseRepoUrl(candidate, GITHUB);
        if (!parsed.ok) continue;
        expect(parsed.url).toMatch(/^https:\/\/github\.com\/[!-~]+$/);
        expect(parseRepoUrl(parsed.url, GITHUB)).toEqual(parsed);
      }
    }),
    { numRuns: 2000 },
  );
});
