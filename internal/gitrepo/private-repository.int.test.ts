import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest } from '../../test/support/checkout-lab.ts';
import { FakeGithub, type Repository } from '../../test/support/fake-github.ts';
import { watchProcesses } from '../../test/support/process-watch.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { CheckoutRequest, SourceCredential } from '../engine/ports.ts';
import { Secret } from '../secrets/secret.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

let github: FakeGithub;
let shop: Repository;
let lab: CheckoutLab;

beforeAll(async () => {
  github = await FakeGithub.start();
  for (const login of ['ada', 'eve']) github.addUser(login);
  shop = await github.addRepository('ada/shop', { files: { 'index.html': 'private' } });
});
afterAll(() => github?.close());
beforeEach(() => {
  lab = new CheckoutLab({ privateHosts: [github.host] });
});
afterEach(() => {
  github.heal();
  expect(lab.close()).toEqual([]);
});

const tokenOf = (login: string, more: Partial<Extract<SourceCredential, { kind: 'token' }>> = {}) =>
  ({
    kind: 'token',
    origin: github.url,
    userName: 'x-access-token',
    token: github.userToken(login, ['repo']),
    via: 'user',
    ...more,
  }) as const;

function checkOut(
  credential: SourceCredential,
  changes: Partial<CheckoutRequest> = {},
  signal?: AbortSignal,
) {
  const request = checkoutRequest({ repoUrl: github.cloneUrl(shop), credential, ...changes });
  return lab.checkout(request, signal && { signal });
}

/** Name and text of every file below. */
function allFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name}: ${readFileSync(join(entry.parentPath, entry.name), 'latin1')}`);
}

describe('a private repository', () => {
  test('is cloned with a token, and only the clone is left', async () => {
    const { directory } = await checkOut(tokenOf('ada'));
    expect(readFileSync(join(directory, 'index.html'), 'utf8')).toBe('private');
    expect(readdirSync(lab.workDir)).toEqual(['abcdefghij-1']);
  });

  test('is cloned without naming a branch too, which asks the host twice', async () => {
    await expect(checkOut(tokenOf('ada'), { branch: null })).resolves.toMatchObject({ branch: 'main' });
  });

  test('T09: the token is for its host alone', async () => {
    const other = tokenOf('ada', { origin: 'http://127.0.0.1:1' });
    await expect(checkOut(other)).rejects.toMatchObject({ code: 'clone_unauthorized' });
    expect(github.requests.at(-1)?.headers['authorization']).toBeUndefined();
  });
});

describe('T09: what is kept of a private repository', () => {
  test('is for those alone to whom the host shows it now', async () => {
    const token = tokenOf('ada');
    const { commitSha } = await checkOut(token);
    await checkOut(tokenOf('ada', { origin: 'http://127.0.0.1:1' })).catch(() => undefined);
    const refused: SourceCredential[] = [{ kind: 'none', why: 'not_connected' }, tokenOf('eve')];
    for (const credential of refused) {
      for (const wanted of [null, commitSha]) {
        await expect(checkOut(credential, { commitSha: wanted })).rejects.toMatchObject({
          code: 'clone_unauthorized',
        });
      }
    }
    github.revoke(token.token);
    await expect(checkOut(token, { commitSha })).rejects.toMatchObject({ code: 'clone_unauthorized' });
    expect(readdirSync(lab.workDir)).toEqual([]);

    // And the mirror has outlived all that.
    lab.lines.length = 0;
    await checkOut(tokenOf('ada'));
    expect(lab.lines).toContain('Nothing new to receive');
  });
});

describe('F46: it fails with its code, says why, and leaves nothing', () => {
  afterEach(() => expect(readdirSync(lab.workDir)).toEqual([]));

  test.each<[string, () => SourceCredential, RegExp]>([
    ['nobody is connected', () => ({ kind: 'none', why: 'not_connected' }), /no connected GitHub account/],
    ['the token shows it to nobody', () => tokenOf('eve'), /shows no such repository/],
    [
      'the token was revoked',
      () => {
        const revoked = tokenOf('ada');
        github.revoke(revoked.token);
        return revoked;
      },
      /sign in with GitHub again/,
    ],
  ])('clone_unauthorized: %s', async (_what, credential, message) => {
    await expect(checkOut(credential())).rejects.toMatchObject({
      code: 'clone_unauthorized',
      message: expect.stringMatching(message),
    });
  });

  test('clone_unauthorized: an organisation forbids the token (403)', async () => {
    github.fail(/info\/refs$/, { kind: 'status', status: 403 });
    await expect(checkOut(tokenOf('ada'))).rejects.toMatchObject({
      code: 'clone_unauthorized',
      message: expect.stringContaining('single sign-on'),
    });
  });

  test('repository_moved: it was renamed', async () => {
    const old = await github.addRepository('ada/old', { files: { a: '1' } });
    const repoUrl = github.cloneUrl(old);
    github.rename(old, 'new');
    await expect(checkOut(tokenOf('ada'), { repoUrl })).rejects.toMatchObject({ code: 'repository_moved' });
  });

  test.each([
    ['is at its limit', { kind: 'status', status: 429 }],
    ['has an outage', { kind: 'status', status: 503 }],
    ['breaks the connection', { kind: 'reset' }],
  ] as const)('git_host_unavailable: GitHub %s', async (_what, fault) => {
    github.fail(/info\/refs$/, fault);
    await expect(checkOut(tokenOf('ada'))).rejects.toMatchObject({ code: 'git_host_unavailable' });
  });

  test('git_host_unavailable: GitHub could not be asked for a token', async () => {
    await expect(checkOut({ kind: 'none', why: 'github_unavailable' })).rejects.toMatchObject({
      code: 'git_host_unavailable',
    });
  });
});

describe('T09: the token of a clone', () => {
  const CANARY = 'gho_canary1234567890ABCDEFghijklmnop';
  const inHeader = Buffer.from(`x-access-token:${CANARY}`).toString('base64');
  const credential = () => {
    const user = github.world.account('ada');
    if (!user) throw new Error('ada is gone');
    github.world.tokens.set(CANARY, { kind: 'user', user, scopes: ['repo'] });
    return tokenOf('ada', { token: new Secret(CANARY) });
  };

  test('is in no argument, no environment, no line, no error and no file of the clone', async () => {
    const watches = [CANARY, inHeader].map(watchProcesses);
    const files: string[] = [];
    try {
      for (let attempt = 1; attempt <= 5; attempt += 1) {
        const { directory } = await checkOut(credential(), { attempt, branch: attempt % 2 ? 'main' : null });
        files.push(...allFiles(directory));
      }
      const failed = await checkOut(credential(), { branch: 'nowhere' }).catch((error: unknown) => error);
      files.push(inspect(failed, { depth: null }), JSON.stringify(lab.lines));
      files.push(...allFiles(lab.workDir), ...allFiles(lab.mirrorDir));
    } finally {
      for (const watch of watches) watch.stop();
    }
    expect(
      [...(watches[0]?.seen ?? [])].filter((line) => /\bgit\b.* fetch /.test(line)).length,
    ).toBeGreaterThan(0);
    expect(watches.flatMap(({ hits }) => hits)).toEqual([]);
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((text) => text.includes(CANARY) || text.includes(inHeader))).toEqual([]);
  });

  test('lies in a file that only we may read, beside the clone, for as long as Git runs', async () => {
    github.fail(/info\/refs$/, { kind: 'hang' });
    const before = github.requests.length;
    const cancel = new AbortController();
    const checkout = checkOut(credential(), {}, cancel.signal).catch((error: unknown) => error);
    await waitUntil('Git to ask', () => github.requests.length > before);
    expect(github.requests.at(-1)?.headers['authorization']).toBe(`Basic ${inHeader}`);
    const credentials = join(lab.workDir, 'abcdefghij-1.credential');
    const folder = join(credentials, readdirSync(credentials)[0] ?? '');
    expect(readdirSync(folder)).toEqual(['gitconfig']);
    for (const each of [credentials, folder]) expect(statSync(each).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'gitconfig')).mode & 0o777).toBe(0o600);
    expect(allFiles(join(lab.workDir, 'abcdefghij-1')).filter((text) => text.includes(inHeader))).toEqual([]);
    cancel.abort(new Error('stop'));
    await checkout;
    expect(readdirSync(lab.workDir)).toEqual([]);
  });

  test('F02: a killed worker leaves it, and whoever cleans up after that attempt removes it', async () => {
    const own = lab.checkouts();
    await checkOut(credential());
    mkdirSync(join(lab.workDir, 'klmnopqrst-1.credential'));
    writeFileSync(join(lab.workDir, 'klmnopqrst-1.credential', 'gitconfig'), 'x');
    expect((await own.listDeployments()).toSorted()).toEqual(['abcdefghij', 'klmnopqrst']);
    await own.remove('klmnopqrst', 1);
    expect(readdirSync(lab.workDir)).toEqual(['abcdefghij-1']);
  });
});
