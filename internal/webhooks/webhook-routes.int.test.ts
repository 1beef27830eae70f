import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { FakeGithub, type Repository } from '../../test/support/fake-github.ts';
import { pushPayload } from '../../test/support/github-events.ts';
import { callWithScope } from '../../test/support/scoped-caller.ts';
import { sendWebhook } from '../../test/support/webhook-sender.ts';
import { storeGithubToken } from '../users/github-token.ts';

const SECRET = /^[0-9a-f]{64}$/;

let github: FakeGithub;
let api: ApiUnderTest;
let shop: Repository;
let appId: string;

beforeAll(async () => {
  github = await FakeGithub.start();
  github.addUser('ada');
  api = await startApi({ settings: { github: github.settings(), gitPrivateHosts: [github.host] } });
});
afterAll(async () => {
  await api?.close();
  await github?.close();
});
beforeEach(async () => {
  await api.prisma.app.deleteMany();
  shop = await github.addRepository(`ada/shop-${randomUUID().slice(0, 8)}`);
  appId = await createApp('shop', github.cloneUrl(shop));
  await connect();
});
afterEach(() => github.heal());

async function createApp(name: string, repoUrl: string): Promise<string> {
  const { body } = await api.call('post', '/apps').send({ name, repo_url: repoUrl, deploy: false });
  return (body as { id: string }).id;
}
/** The owner has signed in with GitHub, and allowed this much. */
async function connect(scopes: readonly string[] = ['repo']): Promise<void> {
  const { id: userId } = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  const token = github.userToken('ada', scopes);
  await storeGithubToken(api.prisma, api.needs.box, { userId, token, scopes });
}
const disconnect = () => api.prisma.user.updateMany({ data: { githubToken: null } });

const url = (id = appId) => `http://berth.apps.test:8000/webhooks/github/${id}`;
const read = (id = appId) => api.call('get', `/apps/${id}/webhook`);
const make = (body: object = {}, id = appId) => api.call('post', `/apps/${id}/webhook`).send(body);
const remove = (id = appId) => api.call('delete', `/apps/${id}/webhook`);
const deliver = (secret: string, id = appId) =>
  sendWebhook(api.app, { path: `/webhooks/github/${id}`, secret, event: 'ping', payload: { zen: 'x' } });

describe('before it is made', () => {
  test('its URL, content type and events can be read, and that GitHub has it not', async () => {
    expect((await read()).body).toEqual({
      url: url(),
      content_type: 'application/json',
      events: ['push'],
      has_secret: false,
      at_github: false,
      via_github_app: false,
      hook_id: null,
      last_delivery_at: null,
    });
    expect((await deliver('')).status).toBe(401);
  });

  test('it tells that none is needed where an installation of the owner covers the repository', async () => {
    const { id: userId } = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
    const facts = { accountId: 1n, accountLogin: 'ada', accountType: 'User', repositorySelection: 'all' };
    await api.prisma.githubInstallation.create({ data: { id: 1n, ...facts } });
    expect((await read()).body.via_github_app).toBe(false);
    await api.prisma.githubInstallation.update({ where: { id: 1n }, data: { userId } });
    expect((await read()).body.via_github_app).toBe(true);
    const change = (data: object) => api.prisma.githubInstallation.update({ where: { id: 1n }, data });
    await change({ repositorySelection: 'selected' });
    expect((await read()).body.via_github_app).toBe(false);
    const fullName = `ada/${shop.name}`;
    await change({ repositories: { create: { repositoryId: 1n, fullName, isPrivate: true } } });
    expect((await read()).body.via_github_app).toBe(true);
    await change({ suspendedAt: new Date() });
    expect((await read()).body.via_github_app).toBe(false);
    await api.prisma.githubInstallation.deleteMany();
  });
});

describe('made', () => {
  test('where Berth may, it is in the repository at once, with the secret that signs', async () => {
    const { status, body } = await make();
    const [hook] = github.hooksOf(shop);
    expect(status).toBe(201);
    expect(body).toMatchObject({ url: url(), has_secret: true, at_github: true, by_hand: null });
    expect(body).toMatchObject({ hook_id: hook?.id, secret: expect.stringMatching(SECRET) });
    expect(hook).toMatchObject({
      active: true,
      config: { url: url(), content_type: 'json', secret: body.secret, insecure_ssl: '0' },
    });
    expect((await deliver(hook?.config.secret ?? '')).status).toBe(202);
    expect((await read()).body).toMatchObject({ last_delivery_at: expect.any(String) });
    expect(JSON.stringify((await read()).body)).not.toContain(body.secret);
  });

  test('once more it is as it was, and the secret is not shown again', async () => {
    const first = await make();
    const second = await make();
    expect(second.status).toBe(200);
    expect(second.body).toEqual({ ...first.body, secret: null });
    expect(github.hooksOf(shop)).toHaveLength(1);
    expect((await deliver(first.body.secret)).status).toBe(202);
  });

  test('with rotate, the new secret signs here and at GitHub, and the old one no more', async () => {
    const { body: first } = await make();
    const { status, body: second } = await make({ rotate: true });
    expect([status, second.secret]).toEqual([201, expect.stringMatching(SECRET)]);
    expect(second.secret).not.toBe(first.secret);
    expect(github.hooksOf(shop)).toMatchObject([{ id: first.hook_id, config: { secret: second.secret } }]);
    expect((await deliver(first.secret)).status).toBe(401);
    expect((await deliver(second.secret)).status).toBe(202);
  });

  test('one that somebody set up by hand is taken over, not doubled', async () => {
    await disconnect();
    const { body } = await make();
    const byHand = { url: url(), content_type: 'json', insecure_ssl: '0', secret: body.secret };
    github.world.hooks.push({
      id: 4711,
      repositoryId: shop.id,
      events: ['push'],
      active: true,
      config: byHand,
    });
    await connect();
    expect((await make()).body).toMatchObject({ hook_id: 4711, by_hand: null });
    expect(github.hooksOf(shop)).toHaveLength(1);
  });

  test('F10: sent again with its Idempotency-Key it gives the same secret and makes nothing new', async () => {
    const key = randomUUID();
    const first = await make({}).set('Idempotency-Key', key);
    const again = await make({}).set('Idempotency-Key', key);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(github.hooksOf(shop)).toMatchObject([{ config: { secret: first.body.secret } }]);
  });

  test('of twenty requests at once one makes the secret, and it is the one that signs', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => make()));
    const made = answers.flatMap(({ body }) => (body.secret as string | null) ?? []);
    expect(made).toHaveLength(1);
    expect((await deliver(made[0] ?? '')).status).toBe(202);
  });
});

describe('where Berth may not, URL and secret are given for copying, with the reason', () => {
  const expectByHand = async (reason: RegExp, id = appId) => {
    const { status, body } = await make({}, id);
    expect(status).toBe(201);
    expect(body).toMatchObject({ url: url(id), at_github: false, hook_id: null });
    expect(body.secret).toMatch(SECRET);
    expect(body.by_hand).toMatch(reason);
    expect(body.by_hand).not.toContain('gho_');
    expect((await deliver(body.secret, id)).status).toBe(202);
    return body as { secret: string };
  };

  test('nobody has signed in with GitHub', async () => {
    await disconnect();
    await expectByHand(/sign in with GitHub/);
  });

  test('the sign-in did not allow it', async () => {
    await connect(['read:user']);
    await expectByHand(/sign in with GitHub/);
  });

  test('the repository is elsewhere', async () => {
    const id = await createApp('elsewhere', 'https://github.com/ada/shop');
    await expectByHand(/not at http:\/\/127/, id);
  });

  test.each([
    ['GitHub is down', () => github.goDown(), /cannot be reached/],
    ['GitHub says no', () => github.fail(/POST .*hooks/, { kind: 'status', status: 403 }), /refused/],
  ])('%s; later it is made with the same secret', async (_what, breakIt, reason) => {
    breakIt();
    const { secret } = await expectByHand(reason);
    github.heal();
    expect((await make()).body).toMatchObject({ secret: null, by_hand: null, at_github: true });
    expect(github.hooksOf(shop)).toMatchObject([{ config: { secret } }]);
  });
});

describe('removed', () => {
  test('it is gone here and at GitHub, and what it signs is refused', async () => {
    const { body } = await make();
    expect((await remove()).body).toEqual({ by_hand: null });
    expect(github.hooksOf(shop)).toEqual([]);
    expect((await deliver(body.secret)).status).toBe(401);
    expect((await read()).body).toMatchObject({ has_secret: false, hook_id: null });
    expect((await remove()).status).toBe(200);
  });

  test('when GitHub cannot be asked it is gone here all the same, and the answer says what is left', async () => {
    const { body } = await make();
    github.goDown();
    expect((await remove()).body.by_hand).toMatch(/cannot be reached/);
    expect((await deliver(body.secret)).status).toBe(401);
  });

  test('one that is gone at GitHub already counts as removed', async () => {
    await make();
    github.world.hooks.length = 0;
    expect((await remove()).body).toEqual({ by_hand: null });
  });

  test('one that was set up by hand is left there, and the answer says so', async () => {
    await disconnect();
    const { body } = await make();
    await deliver(body.secret);
    expect((await remove()).body.by_hand).toMatch(/by hand/);
  });
});

test('each change leaves an audit row without the secret', async () => {
  const { body } = await make();
  await make({ rotate: true });
  await remove();
  const rows = await api.prisma.auditEvent.findMany({ where: { objectId: appId }, orderBy: { id: 'asc' } });
  expect(rows.map(({ action }) => action)).toEqual([
    'app.create',
    'webhook.create',
    'webhook.create_at_github',
    'webhook.rotate',
    'webhook.remove',
  ]);
  expect(JSON.stringify(rows.map(({ detail }) => detail))).not.toContain(body.secret);
});

describe('T43: for others', () => {
  test('an app of somebody else is as missing as one that is not there', async () => {
    const call = callAs(api.app, await addUser(api.prisma));
    for (const method of ['get', 'post', 'delete'] as const) {
      expect((await call(method, `/apps/${appId}/webhook`)).status).toBe(404);
    }
    expect(github.hooksOf(shop)).toEqual([]);
  });

  test('a token without the scope admin may read it, and neither make nor remove it', async () => {
    const call = await callWithScope(api, 'deploy');
    const statuses = await Promise.all(
      (['get', 'post', 'delete'] as const).map(
        async (method) => (await call(method, `/apps/${appId}/webhook`)).status,
      ),
    );
    expect(statuses).toEqual([200, 403, 403]);
  });
});

test('T54: deliveries have a limit of their own, for each webhook, that only signed ones use up', async () => {
  const rateLimits = { ...api.needs.settings.rateLimits, webhooks: 3 };
  const limited = await startApi({ settings: { rateLimits } });
  try {
    const apps = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const { body: app } = await limited
          .call('post', '/apps')
          .send({ name, repo_url: 'acme/shop', deploy: false });
        const { body } = await limited.call('post', `/apps/${app.id}/webhook`);
        return { path: `/webhooks/github/${app.id}`, secret: body.secret as string };
      }),
    );
    const send = (to: { path: string; secret: string } | undefined, secret = to?.secret ?? '') =>
      sendWebhook(limited.app, { path: to?.path ?? '', secret, payload: pushPayload() });
    for (let times = 0; times < 5; times += 1) expect((await send(apps[0], 'wrong')).status).toBe(401);
    const statuses: number[] = [];
    for (let times = 0; times < 4; times += 1) statuses.push((await send(apps[0])).status);
    expect(statuses).toEqual([202, 202, 202, 429]);
    expect((await send(apps[0])).headers['retry-after']).toMatch(/^\d+$/);
    expect((await send(apps[1])).status).toBe(202);
    expect((await limited.call('get', '/apps')).status).toBe(200);
  } finally {
    await limited.close();
  }
});
