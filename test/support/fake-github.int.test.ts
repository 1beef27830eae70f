import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAppAuth } from '@octokit/auth-app';
import { request as octokit } from '@octokit/request';
import { FakeGithub, type Repository } from './fake-github.ts';

let github: FakeGithub;
let shop: Repository;
beforeAll(async () => {
  github = await FakeGithub.start();
  github.addUser('ada');
  github.addUser('eve');
  github.addOrganisation('acme', { ada: 'admin' });
  shop = await github.addRepository('ada/shop', { files: { 'index.html': 'hi' } });
});
afterAll(() => github?.close());
afterEach(() => github.heal());

const api = () => octokit.defaults({ baseUrl: github.apiUrl });
const get = (route: string, token?: string) =>
  fetch(
    `${github.apiUrl}${route}`,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );

describe('signing in', () => {
  const authorize = (more: Record<string, string> = {}) => {
    const url = new URL(`${github.url}/login/oauth/authorize`);
    const asked = {
      client_id: github.world.oauth.clientId,
      redirect_uri: 'http://b.test/cb',
      state: 's1',
      ...more,
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    return fetch(url, { redirect: 'manual' });
  };
  const exchange = (more: Record<string, string>) =>
    fetch(`${github.url}/login/oauth/access_token`, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({
        client_id: github.world.oauth.clientId,
        client_secret: github.world.oauth.clientSecret,
        ...more,
      }),
    }).then((answer) => answer.json() as Promise<Record<string, string>>);
  const codeOf = (answer: Response) =>
    new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';

  test('comes back with code and state; the code gives a token once, to whoever proves the challenge', async () => {
    github.signIn('ada');
    const verifier = randomBytes(32).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const back = await authorize({ code_challenge: challenge, code_challenge_method: 'S256' });
    expect(back.headers.get('location')).toMatch(/^http:\/\/b\.test\/cb\?code=[0-9a-f]{20}&state=s1$/);

    const code = codeOf(back);
    const { access_token: token = '' } = await exchange({ code, code_verifier: verifier });
    expect(await (await get('/user', token)).json()).toMatchObject({ login: 'ada', type: 'User' });
    expect(await exchange({ code, code_verifier: verifier })).toMatchObject({
      error: 'bad_verification_code',
    });

    const other = await authorize({ code_challenge: challenge, code_challenge_method: 'S256' });
    expect(await exchange({ code: codeOf(other), code_verifier: 'another' })).toMatchObject({
      error: 'bad_verification_code',
    });
  });

  test('who refuses comes back with access_denied', async () => {
    github.signIn(null);
    expect((await authorize()).headers.get('location')).toMatch(/error=access_denied.*state=s1$/);
  });
});

describe('the API', () => {
  test('refuses an unknown token in GitHub’s words', async () => {
    const answer = await get('/user', 'gho_unknown');
    expect([answer.status, await answer.json()]).toEqual([
      401,
      { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' },
    ]);
  });

  test('gives lists in pages, with links', async () => {
    for (const name of ['b', 'c']) await github.addRepository(`ada/${name}`);
    const token = github.userToken('ada', ['repo']).reveal();
    const first = await get('/user/repos?per_page=2', token);
    expect(first.headers.get('link')).toBe(
      `<${github.apiUrl}/user/repos?per_page=2&page=2>; rel="next", <${github.apiUrl}/user/repos?per_page=2&page=2>; rel="last"`,
    );
    expect(first.headers.get('x-oauth-scopes')).toBe('repo');
    expect(await (await get('/user/repos?per_page=2&page=2', token)).json()).toHaveLength(1);
  });

  test('shows a private repository to nobody else', async () => {
    for (const token of [undefined, github.userToken('eve', ['repo']), github.userToken('ada', [])]) {
      expect((await get('/repos/ada/shop', token?.reveal())).status).toBe(404);
    }
  });

  test('gives an installation token for a JWT of the App, and for no other', async () => {
    const installation = github.install('ada', { repositories: [shop] });
    const { id: appId, privateKey } = github.world.app;
    const auth = createAppAuth({ appId, privateKey, request: api() });
    const { token } = await auth({ type: 'installation', installationId: installation.id });
    expect(await get('/installation/repositories', token).then((answer) => answer.json())).toMatchObject({
      total_count: 1,
      repositories: [{ full_name: 'ada/shop', private: true }],
    });

    const stranger = createAppAuth({ appId: 1, privateKey, request: api() });
    await expect(stranger({ type: 'installation', installationId: installation.id })).rejects.toMatchObject({
      status: 401,
    });
    github.uninstall(installation);
  });

  test('redirects a renamed repository', async () => {
    const old = await github.addRepository('ada/old', { isPrivate: false });
    github.rename(old, 'new');
    expect(await (await get('/repos/ada/old')).json()).toMatchObject({ full_name: 'ada/new' });
  });

  test('keeps commit statuses and Deployments, and refuses what GitHub refuses', async () => {
    const sha = await shop.git.head();
    const authorization = `token ${github.userToken('ada', ['repo']).reveal()}`;
    const of = { owner: 'ada', repo: 'shop', headers: { authorization } };
    await api()('POST /repos/{owner}/{repo}/statuses/{sha}', { ...of, sha, state: 'success', context: 'c' });
    expect(github.statusesOf(shop)).toMatchObject([{ sha, state: 'success', context: 'c' }]);

    const { data } = await api()('POST /repos/{owner}/{repo}/deployments', { ...of, ref: sha });
    const id = 'id' in data ? Number(data.id) : 0;
    const statuses = 'POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses';
    await api()(statuses, { ...of, deployment_id: id, state: 'in_progress', description: 'Building' });
    expect(github.deploymentsOf(shop)).toMatchObject([{ sha, statuses: [{ state: 'in_progress' }] }]);
    await expect(
      api()(statuses, { ...of, deployment_id: id, state: 'success', description: 'x'.repeat(141) }),
    ).rejects.toMatchObject({ status: 422 });
  });
});

describe('Git', () => {
  const lsRemote = (url: string) =>
    promisify(execFile)('git', ['ls-remote', url], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0' },
    }).then(
      ({ stdout }) => stdout,
      (error: { stderr: string }) => error.stderr,
    );
  const as = (token: string) => github.cloneUrl(shop).replace('://', `://x-access-token:${token}@`);

  test('asks for a login before it shows a private repository, and shows it to nobody else', async () => {
    expect(await lsRemote(github.cloneUrl(shop))).toContain('could not read Username');
    expect(await lsRemote(as('gho_unknown'))).toContain('Authentication failed');
    expect(await lsRemote(as(github.userToken('eve', ['repo']).reveal()))).toContain('not found');
    expect(await lsRemote(as(github.userToken('ada', ['repo']).reveal()))).toContain(await shop.git.head());
  });
});

describe('told to fail', () => {
  test('it does, for the route and as often as told', async () => {
    github.fail(/^GET \/user$/, { kind: 'status', status: 500 }, 1);
    const token = github.userToken('ada', []).reveal();
    expect((await get('/user', token)).status).toBe(500);
    expect((await get('/user', token)).status).toBe(200);
    github.fail(/\/user$/, { kind: 'rate_limit', resetInSeconds: 60 });
    expect((await get('/user', token)).headers.get('x-ratelimit-remaining')).toBe('0');
  });

  test('when it is down nothing answers', async () => {
    github.goDown();
    await expect(get('/user')).rejects.toThrow();
  });
});
