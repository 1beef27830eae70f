import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { type PushOptions, pushPayload } from '../../test/support/github-events.ts';
import { callWithScope } from '../../test/support/scoped-caller.ts';
import { sendWebhook } from '../../test/support/webhook-sender.ts';

let api: ApiUnderTest;
let app: { id: string };
let secret: string;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());
beforeEach(async () => {
  await api.prisma.app.deleteMany();
  await api.prisma.webhookDelivery.deleteMany();
  const body = { name: 'shop', repo_url: 'acme/shop', deploy: false };
  app = (await api.call('post', '/apps').send(body)).body as { id: string };
  secret = ((await api.call('post', `/apps/${app.id}/webhook`)).body as { secret: string }).secret;
});

const sha = (letter: string) => letter.repeat(40);
async function deliver(payload: unknown, event = 'push', deliveryId = randomUUID()): Promise<string> {
  const path = `/webhooks/github/${app.id}`;
  const { body } = await sendWebhook(api.app, { path, secret, payload, event, deliveryId });
  return (body as { id: string }).id;
}
const push = (options: PushOptions) => deliver(pushPayload(options));
const list = (query = '') => api.call('get', `/apps/${app.id}/deliveries${query}`);

describe('the list', () => {
  test('shows each delivery with what came of it, newest first, in pages', async () => {
    const github = randomUUID();
    const first = await deliver(pushPayload({ after: sha('a') }), 'push', github);
    const second = await push({ branch: 'dev' });
    const third = await deliver({ zen: 'Keep it logically awesome.' }, 'ping');

    const { body: page } = await list('?limit=2');
    expect(page.items.map(({ id }: { id: string }) => id)).toEqual([third, second]);
    const { body: next } = await list(`?limit=2&cursor=${page.next_cursor}`);
    const [deployment] = await api.prisma.deployment.findMany();
    expect(next).toEqual({
      items: [
        {
          id: first,
          github_delivery_id: github,
          replay_of: null,
          event: 'push',
          action: null,
          repository: 'acme/shop',
          ref: 'refs/heads/main',
          commit_sha: sha('a'),
          sender: 'Codertocat',
          received_at: expect.any(String),
          outcome: 'deployed',
          reason: 'push to main',
          deployment_id: deployment?.id,
        },
      ],
      next_cursor: null,
    });
  });

  test('can be asked for outcomes and events', async () => {
    const deployed = await push({ after: sha('a') });
    const ignored = await push({ branch: 'dev' });
    const ping = await deliver({ zen: 'Design for failure.' }, 'ping');
    const idsOf = async (query: string) =>
      ((await list(query)).body.items as { id: string }[]).map(({ id }) => id);
    expect(await idsOf('?outcome=deployed')).toEqual([deployed]);
    expect(await idsOf('?outcome=ignored,recorded')).toEqual([ping, ignored]);
    expect(await idsOf('?event=push')).toEqual([ignored, deployed]);
    expect(await idsOf('?event=push&outcome=superseded')).toEqual([]);
    expect(await idsOf(`?event=${encodeURIComponent("' OR 1=1; --")}`)).toEqual([]);
  });

  test.each(['?outcome=lost', '?limit=0', '?cursor=x', '?sort=%27;--', '?event='])(
    '%s is refused',
    async (query) => {
      expect((await list(query)).status).toBe(400);
    },
  );
});

describe('one delivery', () => {
  test('has its payload for a token that may administer, and for no other', async () => {
    const payload = pushPayload({ after: sha('a') });
    const id = await deliver(payload);
    const { body } = await api.call('get', `/deliveries/${id}`);
    expect(body).toMatchObject({ id, event: 'push', outcomes: [{ app_id: app.id, outcome: 'deployed' }] });
    expect(body.payload).toEqual(payload);
    for (const scope of ['read', 'deploy'] as const) {
      const call = await callWithScope(api, scope);
      expect((await call('get', `/deliveries/${id}`)).body).toMatchObject({ id, payload: null });
    }
  });

  test('T43: is as missing for another user as one that never was', async () => {
    const id = await push({});
    const call = callAs(api.app, await addUser(api.prisma));
    const missing = await call('get', '/deliveries/aaaaaaaaaa');
    for (const path of [`/deliveries/${id}`, `/apps/${app.id}/deliveries`, `/apps/${app.id}/webhook`]) {
      expect((await call('get', path)).status).toBe(404);
    }
    const foreign = await call('get', `/deliveries/${id}`);
    expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    expect((await call('post', `/deliveries/${id}/replay`)).status).toBe(404);
    expect(await api.prisma.webhookDelivery.count()).toBe(1);
  });
});

describe('a replay', () => {
  const replay = (id: string, key = randomUUID()) =>
    api.call('post', `/deliveries/${id}/replay`).set('Idempotency-Key', key);

  test('is a delivery of its own that names the first, judged by the settings of now', async () => {
    const change = (body: object) => api.call('patch', `/apps/${app.id}`).send(body);
    await change({ auto_deploy: false });
    const id = await push({ after: sha('a') });
    await change({ auto_deploy: true });
    const answer = await replay(id);
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/api/v1/deliveries/${answer.body.id}`);
    const [deployment] = await api.prisma.deployment.findMany();
    expect(deployment).toMatchObject({ requestedSha: sha('a'), trigger: 'push' });
    expect(answer.body).toMatchObject({
      replay_of: id,
      commit_sha: sha('a'),
      outcomes: [{ app_id: app.id, outcome: 'deployed', deployment_id: deployment?.id }],
    });
    expect((await list()).body.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'deployed',
      'ignored',
    ]);
    const audit = await api.prisma.auditEvent.findFirst({ where: { action: 'webhook.replay' } });
    expect(audit).toMatchObject({ object: 'webhook', objectId: id, detail: { delivery_id: answer.body.id } });
  });

  test('F33: of an older push does not win over a newer one', async () => {
    const id = await push({ before: sha('0'), after: sha('a') });
    await push({ before: sha('a'), after: sha('b') });
    expect((await replay(id)).body.outcomes[0]).toMatchObject({ outcome: 'superseded' });
    expect(await api.prisma.deployment.count()).toBe(2);
  });

  test('of a push that failed builds it once more', async () => {
    const id = await push({ after: sha('a') });
    await api.prisma.deployment.updateMany({ data: { status: 'failed', failureCode: 'build_failed' } });
    expect((await replay(id)).body.outcomes[0]).toMatchObject({ outcome: 'deployed' });
  });

  test('F10: sent twice with one Idempotency-Key is done once', async () => {
    const id = await push({ branch: 'dev' });
    const key = randomUUID();
    const [one, two] = [await replay(id, key), await replay(id, key)];
    expect(two.body).toEqual(one.body);
    expect(await api.prisma.webhookDelivery.count()).toBe(2);
  });

  test('needs the scope deploy', async () => {
    const id = await push({ branch: 'dev' });
    const status = async (scope: 'read' | 'deploy') => {
      const call = await callWithScope(api, scope);
      return (await call('post', `/deliveries/${id}/replay`)).status;
    };
    expect([await status('read'), await status('deploy')]).toEqual([403, 202]);
  });
});
