import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { sealContext } from '../secrets/sealed-columns.ts';

let api: ApiUnderTest;
let path: string;
let appId: string;
beforeAll(async () => {
  api = await startApi();
  const body = { name: 'shop', repo_url: 'https://github.com/acme/shop', deploy: false };
  const made = await api.call('post', '/apps').send(body);
  appId = (made.body as { id: string }).id;
  path = `/apps/${appId}/deploy-key`;
});
afterAll(() => api?.close());

test('an app gets one key, whose private half stays here', async () => {
  expect((await api.call('get', path)).status).toBe(404);
  const made = await api.call('post', path);
  expect([made.status, made.body]).toEqual([
    201,
    {
      public_key: expect.stringMatching(/^ssh-ed25519 [A-Za-z0-9+/]{68} berth-shop$/),
      fingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
    },
  ]);
  const again = await api.call('post', path);
  expect([again.status, again.body]).toEqual([200, made.body]);
  expect((await api.call('get', path)).body).toEqual(made.body);

  const app = await api.prisma.app.findUniqueOrThrow({ where: { id: appId } });
  const context = sealContext('services.deploy_key_private', appId);
  expect(api.needs.box.open(app.deployKeyPrivate ?? new Uint8Array(), context)).toMatch(
    /^-----BEGIN OPENSSH/,
  );
  expect((await api.call('get', `/apps/${appId}`)).text).not.toContain('OPENSSH');
});

test('T41: another user’s app has none to be seen', async () => {
  const other = callAs(api.app, await addUser(api.prisma));
  for (const method of ['get', 'post', 'delete'] as const) {
    const [foreign, missing] = [
      await other(method, path),
      await other(method, '/apps/aaaaaaaaaa/deploy-key'),
    ];
    expect([foreign.status, foreign.body.detail]).toEqual([404, missing.body.detail]);
  }
});

test('it is deleted, with a row for each change', async () => {
  expect((await api.call('delete', path)).status).toBe(204);
  expect((await api.call('delete', path)).status).toBe(404);
  const app = await api.prisma.app.findUniqueOrThrow({ where: { id: appId } });
  expect([app.deployKeyPrivate, app.deployKeyPublic]).toEqual([null, null]);
  const actions = await api.prisma.auditEvent.findMany({
    where: { objectId: appId, action: { endsWith: 'deploy_key' } },
    orderBy: { id: 'asc' },
  });
  expect(actions.map(({ action }) => action)).toEqual(['app.create_deploy_key', 'app.delete_deploy_key']);
});
