import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { examplesOf, type PushOptions, pushPayload } from '../../test/support/github-events.ts';
import { type SentWebhook, sendWebhook, signedWebhook } from '../../test/support/webhook-sender.ts';
import { claimNext } from '../deployments/deployment-queue.ts';
import { createApp as createApi } from '../http/create-app.ts';
import { sealContext } from '../secrets/sealed-columns.ts';

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
  app = await createApp('shop');
  secret = await makeSecret(app.id);
});

async function createApp(name: string, more: object = {}): Promise<{ id: string }> {
  const body = { name, repo_url: 'https://github.com/acme/shop', deploy: false, ...more };
  return (await api.call('post', '/apps').send(body)).body as { id: string };
}
async function makeSecret(appId: string): Promise<string> {
  return ((await api.call('post', `/apps/${appId}/webhook`)).body as { secret: string }).secret;
}
const send = (sent: Partial<SentWebhook> = {}) =>
  sendWebhook(api.app, { path: `/webhooks/github/${app.id}`, secret, payload: pushPayload(), ...sent });
const push = (options: PushOptions) => send({ payload: pushPayload(options) });
const sha = (letter: string) => letter.repeat(40);
const deployments = () => api.prisma.deployment.findMany({ orderBy: { queueSequence: 'asc' } });
const outcomeOf = ({ body }: supertest.Response) => body.outcomes[0];

describe('a push', () => {
  test('to the branch of the app queues a deployment of exactly its commit, and the answer names it', async () => {
    const answer = await push({ after: sha('c') });
    const [row] = await deployments();
    expect(answer.status).toBe(202);
    expect(answer.body.outcomes).toEqual([
      { app_id: app.id, outcome: 'deployed', reason: 'push to main', deployment_id: row?.id },
    ]);
    expect(row).toMatchObject({
      appId: app.id,
      status: 'pending',
      trigger: 'push',
      branch: 'main',
      requestedSha: sha('c'),
      requestedBy: null,
    });
  });

  test('works under /api/v1 and as a form, too', async () => {
    const path = `/api/v1/webhooks/github/${app.id}`;
    expect((await send({ path, payload: pushPayload({ after: sha('1') }) })).status).toBe(202);
    const form = new URLSearchParams({ payload: JSON.stringify(pushPayload({ after: sha('2') })) });
    const contentType = 'application/x-www-form-urlencoded';
    const answer = await send({ payload: form.toString(), contentType });
    expect([answer.status, outcomeOf(answer).outcome]).toEqual([202, 'deployed']);
  });

  test('T64: what is signed are the bytes, however the JSON is spelled', async () => {
    const text = JSON.stringify(pushPayload({ message: 'Change the Käse \u{1f9c0} <script>' }), null, 7)
      .replace('Käse', 'K\\u00e4se')
      .replaceAll(': ', ' :\t');
    expect((await send({ payload: `\n ${text}  \r\n` })).status).toBe(202);
    const { headers } = signedWebhook({ secret, payload: text });
    const changed = {
      payload: text.replace('Change', 'change'),
      signature: headers['X-Hub-Signature-256'] ?? '',
    };
    const answer = await send(changed);
    expect(answer.status).toBe(401);
  });

  test.each<[string, PushOptions]>([
    ['other branch', { branch: 'main2' }],
    ['tag', { more: { ref: 'refs/tags/main' } }],
    ['branch deleted', { after: sha('0'), more: { deleted: true } }],
    ['skip requested', { message: 'Docs [skip deploy]' }],
    ['other repository', { repository: 'acme/shop2' }],
  ])('T65: "%s" deploys nothing, and the answer and the list say so', async (reason, options) => {
    const answer = await push(options);
    expect(answer.status).toBe(202);
    expect(answer.body.outcomes).toEqual([
      { app_id: app.id, outcome: 'ignored', reason, deployment_id: null },
    ]);
    const { body } = await api.call('get', `/apps/${app.id}/deliveries`);
    expect(body.items).toEqual([expect.objectContaining({ event: 'push', outcome: 'ignored', reason })]);
    expect(await deployments()).toEqual([]);
  });

  test('auto-deploy off and watch paths are those of the app', async () => {
    const change = (body: object) => api.call('patch', `/apps/${app.id}`).send(body);
    await change({ auto_deploy: false });
    expect(outcomeOf(await push({})).reason).toBe('auto-deploy is off');
    await change({ auto_deploy: true, watch_paths: ['apps/web'] });
    expect(outcomeOf(await push({ changed: ['docs/a.md'] })).reason).toBe('no watched path changed');
    expect(outcomeOf(await push({ changed: ['apps/web/a.ts'] })).outcome).toBe('deployed');
  });

  test('of a commit that is under way already makes no second deployment', async () => {
    const first = outcomeOf(await push({ after: sha('c') }));
    const second = outcomeOf(await push({ after: sha('c') }));
    expect(second).toMatchObject({ outcome: 'duplicate', deployment_id: null });
    expect(second.reason).toContain(first.deployment_id);
    expect(await deployments()).toHaveLength(1);
  });
});

describe('other events', () => {
  test.each([
    ['ping', 'recorded', 'ping'],
    ['pull_request', 'recorded', 'pull requests are not deployed'],
    ['installation', 'ignored', 'event not used'],
    ['issues', 'ignored', 'event not used'],
    ['star', 'ignored', 'event not used'],
  ])('T65: all examples of %s are %s: %s', async (event, outcome, reason) => {
    for (const payload of examplesOf(event)) {
      const answer = await send({ event, payload });
      expect(answer.status).toBe(202);
      expect(outcomeOf(answer)).toEqual({ app_id: app.id, outcome, reason, deployment_id: null });
    }
    expect(await deployments()).toEqual([]);
  });
});

describe('T62, T63, T65: without a right signature', () => {
  const refused = async (sent: Partial<SentWebhook>) => {
    const { status, headers, body } = await send(sent);
    const { request_id: _, ...problem } = body as Record<string, unknown>;
    return { status, type: headers['content-type'], problem };
  };

  test('everything is refused alike, whether there is such an app or not, and nothing is kept', async () => {
    const other = await createApp('without-webhook');
    const emptySecret = await createApp('empty-secret');
    const sealedEmpty = api.needs.box.seal('', sealContext('services.webhook_secret', emptySecret.id));
    await api.prisma.app.update({ where: { id: emptySecret.id }, data: { webhookSecret: sealedEmpty } });
    const emptyColumn = await createApp('empty-column');
    await api.prisma.app.update({ where: { id: emptyColumn.id }, data: { webhookSecret: Buffer.alloc(0) } });
    const stolen = await createApp('stolen-column');
    const { webhookSecret } = await api.prisma.app.findUniqueOrThrow({ where: { id: app.id } });
    await api.prisma.app.update({ where: { id: stolen.id }, data: { webhookSecret } });

    const known = await refused({ secret: 'x'.repeat(64) });
    expect(known).toMatchObject({ status: 401, problem: { code: 'signature_refused' } });
    const to = (id: string) => ({ path: `/webhooks/github/${id}` });
    const others: Record<string, Partial<SentWebhook>> = {
      'no signature': { signature: null },
      'SHA-1': { signature: `sha1=${'0'.repeat(40)}` },
      'upper case': { signature: `sha256=${'A'.repeat(64)}` },
      '63 digits': { signature: `sha256=${'0'.repeat(63)}` },
      'the empty secret': { secret: '' },
      'an app without a webhook': to(other.id),
      'an app without a webhook, with the empty secret': { ...to(other.id), secret: '' },
      'an app whose secret is empty': { ...to(emptySecret.id), secret: '' },
      'an app whose column is empty': { ...to(emptyColumn.id), secret: '' },
      'an app with the secret of another': to(stolen.id),
      'an app that is not there': to('aaaaaaaaaa'),
      'a text that is no id': to('nothing-like-it'),
      'a NUL as the id': to('%00'),
      'SQL as the id (T56)': to(encodeURIComponent("'); drop table services; --")),
      'no JSON': { payload: 'nothing', secret: 'x'.repeat(64) },
      'the GitHub App that is not set up': { path: '/webhooks/github' },
      'the same with the empty secret': { path: '/webhooks/github', secret: '' },
    };
    for (const [what, sent] of Object.entries(others))
      expect([what, await refused(sent)]).toEqual([what, known]);
    expect(await api.prisma.webhookDelivery.count()).toBe(0);
    expect(await deployments()).toEqual([]);
    expect((await push({})).status).toBe(202);
  });

  test('the header sent twice is refused, not joined or chosen from', async () => {
    const answer = await send().set('X-Hub-Signature-256', ['sha256=1', 'sha256=2'] as unknown as string);
    expect(answer.status).toBe(401);
  });

  test('a body over 5 MB is refused before it is read to its end', async () => {
    const answer = await send({ payload: Buffer.alloc(5 * 1024 * 1024 + 1, 0x20) });
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
  });

  test('one of 5 MB is not', async () => {
    const payload = Buffer.concat([Buffer.alloc(5 * 1024 * 1024 - 2, 0x20), Buffer.from('{}')]);
    expect((await send({ payload, event: 'ping' })).status).toBe(202);
  });
});

describe('rightly signed, but wrong', () => {
  test.each<[string, number, string, Partial<SentWebhook>]>([
    ['no JSON', 400, 'malformed_json', { payload: 'nothing' }],
    ['an empty body', 400, 'malformed_json', { payload: '' }],
    ['a list', 400, 'malformed_json', { payload: '[]' }],
    [
      'a form without a payload',
      400,
      'malformed_json',
      { payload: 'a=b', contentType: 'application/x-www-form-urlencoded' },
    ],
    ['another content type', 415, 'unsupported_media_type', { contentType: 'text/plain' }],
    ['no push in a push', 400, 'invalid_input', { payload: {} }],
    ['no event', 400, 'invalid_input', { event: '' }],
    ['an event that is none', 400, 'invalid_input', { event: 'drop table' }],
    ['no delivery id', 400, 'invalid_input', { deliveryId: '' }],
  ])('%s answers %i %s and keeps nothing', async (_what, status, code, sent) => {
    const answer = await send(sent);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await api.prisma.webhookDelivery.count()).toBe(0);
  });

  test('texts that Postgres or a terminal would trip over do no harm', async () => {
    const sender = { login: 'a\0b\u001b[2J\u202e' };
    const payload = { ...pushPayload(), sender, action: 7, extra: '\0' };
    expect((await send({ payload })).status).toBe(202);
    const { body } = await api.call('get', `/apps/${app.id}/deliveries`);
    expect(body.items[0]).toMatchObject({ sender: 'ab[2J', action: null });
  });
});

describe('sent again', () => {
  test('T65, F11: the same delivery makes one row and one deployment; the second answer is 200 duplicate', async () => {
    const deliveryId = randomUUID();
    const first = await send({ deliveryId });
    const second = await send({ deliveryId });
    expect([first.status, second.status]).toEqual([202, 200]);
    expect(second.body).toMatchObject({ id: first.body.id, outcomes: [{ outcome: 'duplicate' }] });
    expect(await api.prisma.webhookDelivery.count()).toBe(1);
    expect(await deployments()).toHaveLength(1);
  });

  test('F32: ten at once, at two APIs of one database, make one row', async () => {
    const deliveryId = randomUUID();
    const apis = [api.app, createApi(api.needs)];
    const path = `/webhooks/github/${app.id}`;
    const delivery = { path, secret, payload: pushPayload(), deliveryId };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => apis.map((one) => sendWebhook(one, delivery))).flat(),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array.from({ length: 9 }, () => 200), 202]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await api.prisma.webhookDelivery.count()).toBe(1);
    expect(await deployments()).toHaveLength(1);
  });

  test('the id counts for one webhook: another app may get the same one', async () => {
    const deliveryId = randomUUID();
    const other = await createApp('other');
    const path = `/webhooks/github/${other.id}`;
    expect((await send({ deliveryId })).status).toBe(202);
    expect((await send({ deliveryId, path, secret: await makeSecret(other.id) })).status).toBe(202);
  });
});

describe('many', () => {
  const worker = { id: 'worker-a', leaseSeconds: 30 };

  test('T65: of 200 pushes at once while one is built, one waits, and others are answered meanwhile', async () => {
    await push({ after: sha('a') });
    await claimNext(api.prisma, worker);
    const shas = Array.from({ length: 200 }, (_, index) => String(index).padStart(40, 'f'));
    const flood = Promise.all(shas.map((after) => push({ after })));
    expect((await api.call('get', '/apps')).status).toBe(200);
    expect((await flood).map(({ status }) => status)).toEqual(shas.map(() => 202));
    const count = (status: 'pending' | 'building' | 'superseded') =>
      api.prisma.deployment.count({ where: { status } });
    expect([await count('building'), await count('pending'), await count('superseded')]).toEqual([1, 1, 199]);
  }, 120_000);

  test('F33: pushes that come in the wrong order end with the newest one', async () => {
    const chain = [sha('a'), sha('b'), sha('c'), sha('d')];
    const pushes = chain.slice(1).map((after, index) => ({ before: chain[index] ?? '', after }));
    const outcomes: string[] = [];
    for (const one of pushes.toReversed()) outcomes.push(outcomeOf(await push(one)).outcome);
    expect(outcomes).toEqual(['deployed', 'superseded', 'superseded']);
    const rows = await deployments();
    expect(rows.map(({ requestedSha, status }) => [requestedSha, status])).toEqual([[sha('d'), 'pending']]);
  });

  test.each([3, 4])(
    'F33: %i pushes end with the newest one in whatever order they come',
    async (count) => {
      const chain = Array.from({ length: count + 1 }, (_, index) => sha(String(index + 1)));
      const pushes = chain.slice(1).map((after, index) => ({ before: chain[index] ?? '', after }));
      for (const order of ordersOf(pushes)) {
        await api.prisma.deployment.deleteMany();
        await api.prisma.webhookDelivery.deleteMany();
        for (const one of order) await push(one);
        const open = await api.prisma.deployment.findMany({ where: { status: 'pending' } });
        const came = order.map(({ after }) => after[0]).join('');
        expect([came, open.map(({ requestedSha }) => requestedSha)]).toEqual([came, [chain.at(-1)]]);
      }
    },
    180_000,
  );

  test('F33: a push that deploys nothing itself still tells the order of the others', async () => {
    await push({ before: sha('3'), after: sha('4') });
    await push({ before: sha('1'), after: sha('2') });
    const link = outcomeOf(await push({ before: sha('2'), after: sha('3'), message: 'Docs [skip deploy]' }));
    expect(link).toMatchObject({ outcome: 'ignored', reason: 'skip requested', deployment_id: null });
    const open = await api.prisma.deployment.findMany({ where: { status: 'pending' } });
    expect(open.map(({ requestedSha }) => requestedSha)).toEqual([sha('4')]);
  });

  test('F33: a branch that was forced back is left there when an older push comes', async () => {
    await push({ before: sha('a'), after: sha('b') });
    await push({ before: sha('b'), after: sha('a'), more: { forced: true } });
    expect(outcomeOf(await push({ before: sha('9'), after: sha('a') })).outcome).toBe('superseded');
    const rows = await deployments();
    expect(rows.map(({ requestedSha, status }) => [requestedSha?.[0], status])).toEqual([
      ['b', 'superseded'],
      ['a', 'pending'],
    ]);
  });

  test('F33: also when the newer one is live, or was ignored for its paths alone', async () => {
    await api.call('patch', `/apps/${app.id}`).send({ watch_paths: ['src'] });
    const newer = outcomeOf(await push({ before: sha('b'), after: sha('c') }));
    await api.prisma.deployment.update({ where: { id: newer.deployment_id }, data: { status: 'live' } });
    const late = outcomeOf(await push({ before: sha('a'), after: sha('b') }));
    expect(late).toMatchObject({ outcome: 'superseded', deployment_id: null });
    expect(late.reason).toContain(newer.deployment_id);

    await push({ before: sha('e'), after: sha('f'), changed: ['docs/x.md'] });
    expect(outcomeOf(await push({ before: sha('d'), after: sha('e') })).outcome).toBe('deployed');
  });
});

test('deliveries older than thirty days are swept when others come, younger ones stay', async () => {
  const old = (await push({ after: sha('1') })).body.id as string;
  const younger = (await push({ after: sha('2') })).body.id as string;
  const age = (id: string, days: number) =>
    api.prisma.$executeRaw`
      UPDATE webhook_deliveries SET received_at = now() - make_interval(days => ${days}) WHERE id = ${id}`;
  await age(old, 31);
  await age(younger, 29);
  const newest = (await push({ after: sha('3') })).body.id as string;
  const left = await api.prisma.webhookDelivery.findMany({ select: { id: true } });
  expect(left.map(({ id }) => id).toSorted((a, b) => a.localeCompare(b))).toEqual(
    [younger, newest].toSorted((a, b) => a.localeCompare(b)),
  );
  expect(await deployments()).toHaveLength(3);
});

test('T48: neither the secret nor the payload is anywhere in the database in the clear', async () => {
  const canary = 'canary-of-a-private-repository';
  await push({ message: canary });
  const [row] = await api.prisma.$queryRaw<{ text: string }[]>`
    SELECT string_agg(d::text || o::text || s::text || e::text, '') AS text
      FROM webhook_deliveries d, webhook_outcomes o, services s, audit_events e`;
  expect(row?.text).toContain(app.id);
  for (const hidden of [canary, secret]) {
    expect(row?.text).not.toContain(hidden);
    expect(row?.text).not.toContain(Buffer.from(hidden).toString('hex'));
  }
});

function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first) =>
    ordersOf(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  );
}
