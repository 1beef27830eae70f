import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { examplesOf, pushPayload } from '../../test/support/github-events.ts';
import { sendWebhook } from '../../test/support/webhook-sender.ts';
import { Secret } from '../secrets/secret.ts';

const SECRET = 's'.repeat(64);
const INSTALLATION = 957_387n;

let api: ApiUnderTest;
let ada: { userId: string; call: ReturnType<typeof callAs> };
let eve: typeof ada;
beforeAll(async () => {
  const githubApp = { id: '1', privateKey: new Secret('not used here'), webhookSecret: new Secret(SECRET) };
  api = await startApi({ githubApp });
  ada = await newUser();
  eve = await newUser();
});
afterAll(() => api?.close());
beforeEach(async () => {
  const { prisma } = api;
  await prisma.app.deleteMany();
  await prisma.webhookDelivery.deleteMany();
  await prisma.githubInstallation.deleteMany();
  await prisma.githubInstallation.create({
    data: {
      id: INSTALLATION,
      accountId: 1n,
      accountLogin: 'acme',
      accountType: 'Organization',
      repositorySelection: 'all',
      userId: ada.userId,
    },
  });
});

async function newUser(): Promise<typeof ada> {
  const user = await addUser(api.prisma);
  return { userId: user.id, call: callAs(api.app, user) };
}
async function createApp(by: typeof ada, name: string, more: object = {}): Promise<string> {
  const body = { name, repo_url: 'https://github.com/Acme/Shop.git', deploy: false, ...more };
  return ((await by.call('post', '/apps').send(body)).body as { id: string }).id;
}
const installation = { id: Number(INSTALLATION) };
const send = (event: string, payload: unknown, secret = SECRET) =>
  sendWebhook(api.app, { path: '/webhooks/github', secret, event, payload });
const push = (more: object = {}) => send('push', pushPayload({ more: { installation, ...more } }));
const byApp = (body: { outcomes: { app_id: string; outcome: string; reason: string }[] }) =>
  Object.fromEntries(body.outcomes.map(({ app_id, outcome, reason }) => [app_id, `${outcome}: ${reason}`]));

describe('a push', () => {
  test('deploys every app of the repository whose owner has the installation, each by its own settings', async () => {
    const [shop, staging] = [
      await createApp(ada, 'shop'),
      await createApp(ada, 'staging', { branch: 'dev' }),
    ];
    await createApp(ada, 'blog', { repo_url: 'acme/blog' });
    await createApp(ada, 'shop2', { repo_url: 'acme/shop2' });
    await createApp(eve, 'shop');
    const { status, body } = await push();
    expect(status).toBe(202);
    expect(byApp(body)).toEqual({ [shop]: 'deployed: push to main', [staging]: 'ignored: other branch' });
    const deployments = await api.prisma.deployment.findMany();
    expect(deployments.map(({ appId }) => appId)).toEqual([shop]);
  });

  test('tells nothing of it to others who name the same repository', async () => {
    const foreign = await createApp(eve, 'shop');
    const { body } = await push();
    expect(body.outcomes).toEqual([
      { app_id: null, outcome: 'ignored', reason: 'no app follows this repository', deployment_id: null },
    ]);
    expect((await eve.call('get', `/apps/${foreign}/deliveries`)).body.items).toEqual([]);
    expect((await eve.call('get', `/deliveries/${body.id}`)).status).toBe(404);
    const own = await createApp(ada, 'shop');
    const { body: next } = await push({ after: 'c'.repeat(40) });
    expect((await ada.call('get', `/deliveries/${next.id}`)).body.outcomes).toMatchObject([{ app_id: own }]);
    expect((await eve.call('get', `/deliveries/${next.id}`)).status).toBe(404);
  });

  test.each<[string, object]>([
    ['another installation', { installation: { id: 7 } }],
    ['no installation', { installation: undefined }],
  ])('of %s deploys nothing', async (_what, more) => {
    await createApp(ada, 'shop');
    expect((await push(more)).body.outcomes).toMatchObject([{ app_id: null, outcome: 'ignored' }]);
  });

  test('of an installation that is bound to nobody deploys nothing', async () => {
    await createApp(ada, 'shop');
    await api.prisma.githubInstallation.updateMany({ data: { userId: null } });
    expect((await push()).body.outcomes).toMatchObject([{ app_id: null, outcome: 'ignored' }]);
  });

  test('that the own webhook of the app tells too deploys once', async () => {
    const shop = await createApp(ada, 'shop');
    const made = await ada.call('post', `/apps/${shop}/webhook`);
    const secret = made.body.secret as string;
    const payload = pushPayload({ more: { installation } });
    await send('push', payload);
    const own = await sendWebhook(api.app, { path: `/webhooks/github/${shop}`, secret, payload });
    expect(own.body.outcomes).toMatchObject([{ outcome: 'duplicate' }]);
    expect(await api.prisma.deployment.count()).toBe(1);
  });

  test('replayed by one user concerns the apps of that user only', async () => {
    const shop = await createApp(ada, 'shop');
    const { body } = await push();
    await api.prisma.deployment.updateMany({ data: { status: 'failed', failureCode: 'build_failed' } });
    await createApp(eve, 'shop');
    const replay = await ada.call('post', `/deliveries/${body.id}/replay`);
    expect(replay.body.outcomes).toMatchObject([{ app_id: shop, outcome: 'deployed' }]);
    expect((await eve.call('post', `/deliveries/${body.id}/replay`)).status).toBe(404);
  });
});

test('T65: two pushes to the same two apps at once wait for each other and never lock', async () => {
  await Promise.all(['one', 'two', 'three'].map((name) => createApp(ada, name)));
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => push({ after: String(index).padStart(40, '1') })),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  expect(await api.prisma.deployment.count({ where: { status: 'pending' } })).toBe(3);
});

describe('other events', () => {
  test('T65: pull requests, from forks or not, are recorded with the app and deploy nothing', async () => {
    const shop = await createApp(ada, 'shop', { repo_url: 'Codertocat/Hello-World' });
    for (const example of examplesOf('pull_request')) {
      const { body } = await send('pull_request', { ...example, installation });
      expect(byApp(body)).toEqual({ [shop]: 'recorded: pull requests are not deployed' });
    }
    expect(await api.prisma.deployment.count()).toBe(0);
  });

  test.each([
    ['ping', 'recorded', 'ping'],
    ['star', 'ignored', 'event not used'],
    ['check_run', 'ignored', 'event not used'],
  ])('%s is %s: %s', async (event, outcome, reason) => {
    const [example] = examplesOf(event);
    expect((await send(event, example)).body.outcomes).toEqual([
      { app_id: null, outcome, reason, deployment_id: null },
    ]);
  });
});

test('T62: the secret of an app signs nothing for the GitHub App, nor the reverse', async () => {
  const shop = await createApp(ada, 'shop');
  const { secret } = (await ada.call('post', `/apps/${shop}/webhook`)).body as { secret: string };
  expect((await send('push', pushPayload(), secret)).status).toBe(401);
  const path = `/webhooks/github/${shop}`;
  expect((await sendWebhook(api.app, { path, secret: SECRET, payload: pushPayload() })).status).toBe(401);
});
