import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { newToken, tokenHash, tokenPrefix } from '../auth/api-token.ts';
import { newId, newUserHash } from '../db/ids.ts';
import type { Secret } from '../secrets/secret.ts';
import { recordAudit } from './record-audit.ts';

interface Event {
  readonly id: number;
  readonly action: string;
  readonly object_id: string;
  readonly actor: { readonly user_id: string } | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

let api: ApiUnderTest;
let member: { readonly id: string; readonly token: Secret };
beforeAll(async () => {
  api = await startApi();
  member = await newMember('ada');
});
beforeEach(() => api.prisma.auditEvent.deleteMany());
afterAll(() => api?.close());

async function newMember(name: string) {
  const token = newToken();
  const stored = { id: newId(), name: 'ci', prefix: tokenPrefix(token), tokenHash: tokenHash(token) };
  const { id } = await api.prisma.user.create({
    data: { id: newId(), hash: newUserHash(), name, tokens: { create: stored } },
  });
  return { id, token };
}

const as = (token: string) => (method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
  supertest(api.app)[method](`/api/v1${path}`).auth(token, { type: 'bearer' });
const asOwner = (method: 'get' | 'post' | 'patch' | 'delete', path: string) => api.call(method, path);
const asMember = (method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
  as(member.token.reveal())(method, path);
async function read(query = '', call: typeof asMember = asOwner) {
  const answer = await call('get', `/audit${query}`);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body as { items: Event[]; next_cursor: string | null };
}
const actions = async (query = '', call?: typeof asMember) =>
  (await read(query, call)).items.map(({ action }) => action);
const makeApp = async (call: typeof asMember = asOwner) =>
  (
    (await call('post', '/apps').send({ name: `app-${newId()}`, repo_url: 'acme/x', deploy: false }))
      .body as { id: string }
  ).id;

test('tells who, by which token, from where, what, and what it was before', async () => {
  const id = await makeApp(asMember);
  await asMember('patch', `/apps/${id}`)
    .set('X-Request-Id', 'mine-1')
    .set('X-Forwarded-For', '203.0.113.7')
    .send({ port: 8080, replicas: 1, branch: 'next' });
  const [change, creation] = (await read('', asMember)).items;
  const token = await api.prisma.apiToken.findFirstOrThrow({ where: { userId: member.id } });
  expect(change).toEqual({
    id: expect.any(Number),
    at: expect.stringMatching(/Z$/),
    actor: {
      user_id: member.id,
      name: 'ada',
      via: 'token',
      token_id: token.id,
      token_prefix: tokenPrefix(member.token),
    },
    address: '203.0.113.7',
    request_id: 'mine-1',
    action: 'app.change',
    object: 'app',
    object_id: id,
    // Replicas were one before, too.
    detail: { port: [null, 8080], branch: [null, 'next'] },
  });
  expect(creation).toMatchObject({ action: 'app.create', detail: { repo_url: expect.any(String) } });
});

describe('who sees what', () => {
  test('a member what they did, and what was done to theirs; the owner all', async () => {
    const other = await newMember('bob');
    const [mine, theirs] = [await makeApp(asMember), await makeApp(as(other.token.reveal()))];
    const { prisma } = api;
    const nobody = { caller: null, requestId: 'r', address: '' };
    for (const objectId of [mine, theirs]) {
      await recordAudit(prisma, nobody, { action: 'app.poke', object: 'app', objectId });
    }
    const seen = (await read('', asMember)).items;
    expect(seen.map(({ action, object_id }) => [action, object_id])).toEqual([
      ['app.poke', mine],
      ['app.create', mine],
    ]);
    expect(seen[0]?.actor).toBeNull();
    expect(await actions()).toEqual(['app.poke', 'app.poke', 'app.create', 'app.create']);
  });

  test('of deployments, projects, variables and tokens as of apps', async () => {
    const appId = await makeApp(asMember);
    const { prisma } = api;
    const deployment = (await asMember('post', `/apps/${appId}/deploy`).send({})).body as { id: string };
    const variable = (await asMember('post', `/apps/${appId}/env`).send({ key: 'A', value: 'b' })).body as {
      id: string;
    };
    const app = await prisma.app.findUniqueOrThrow({ where: { id: appId } });
    const token = await prisma.apiToken.findFirstOrThrow({ where: { userId: member.id } });
    const objects = [app.projectId, appId, deployment.id, variable.id, token.id, member.id];
    await prisma.auditEvent.deleteMany();
    const nobody = { caller: null, requestId: 'r', address: '' };
    for (const objectId of [...objects, newId()]) {
      await recordAudit(prisma, nobody, { action: 'thing.poke', object: 'app', objectId });
    }
    const seen = (await read('', asMember)).items.map(({ object_id }) => object_id);
    expect(seen.toReversed()).toEqual(objects);
  });

  test('what they did stays when the object and the token are gone', async () => {
    const leaving = await newMember('eve');
    const call = as(leaving.token.reveal());
    const id = await makeApp(call);
    await api.prisma.app.delete({ where: { id } });
    expect(await actions('', call)).toEqual(['app.create']);
    await api.prisma.project.deleteMany({ where: { userId: leaving.id } });
    await api.prisma.user.delete({ where: { id: leaving.id } });
    expect((await read()).items).toMatchObject([
      {
        action: 'app.create',
        actor: { user_id: leaving.id, name: null, token_prefix: tokenPrefix(leaving.token) },
      },
    ]);
  });
});

describe('filters', () => {
  test('by actor, action, object, its id and time, alone and together', async () => {
    const [one, two] = [await makeApp(), await makeApp(asMember)];
    await api.call('patch', `/apps/${one}`).send({ port: 81 });
    await api.call('post', '/projects').send({ name: `p-${newId()}` });
    const { items } = await read();
    const times = await api.prisma.auditEvent.findMany({ orderBy: { id: 'asc' } });
    const third = times[2]?.at.toISOString() ?? '';

    expect(await actions(`?actor=${member.id}`)).toEqual(['app.create']);
    expect(await actions('?action=app.create')).toHaveLength(2);
    expect(await actions('?object=project')).toEqual(['project.create']);
    expect(await actions('?object=project,app')).toHaveLength(items.length);
    expect(await actions(`?object_id=${one}`)).toEqual(['app.change', 'app.create']);
    expect(await actions(`?object_id=${two}&action=app.change`)).toEqual([]);
    expect(await actions(`?since=${third}`)).toEqual(['project.create', 'app.change']);
    expect(await actions(`?until=${third}`)).toEqual(['app.create', 'app.create']);
    expect(await actions(`?object_id=${one}`, asMember)).toEqual([]);
  });

  test.each([
    '?actor=x',
    '?action=DROP',
    '?object=shoe',
    '?since=yesterday',
    '?cursor=x',
    '?user=x',
    '?limit=0',
  ])('T58: %s is refused, and names the field', async (query) => {
    const answer = await api.call('get', `/audit${query}`);
    expect([answer.status, answer.body.errors?.length]).toEqual([400, 1]);
  });

  test('pages have no gap and no double, also of a member, while more happens', async () => {
    const id = await makeApp(asMember);
    for (let port = 1; port <= 6; port += 1) await asMember('patch', `/apps/${id}`).send({ port });
    for (const call of [asOwner, asMember]) {
      const seen: number[] = [];
      let cursor: string | null = null;
      do {
        const page = await read(`?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`, call);
        seen.push(...page.items.map((item) => item.id));
        cursor = page.next_cursor;
        await asMember('patch', `/apps/${id}`).send({ port: 99 });
      } while (cursor !== null);
      expect(seen).toHaveLength(new Set(seen).size);
      expect(seen).toEqual(seen.toSorted((a, b) => b - a));
      expect(seen.length).toBeGreaterThanOrEqual(7);
    }
  });
});

test('T57: a value whose name says secret is not kept, whatever was put in', async () => {
  const nobody = { caller: null, requestId: 'r', address: '' };
  const detail = { api_token: 'canary-1', password: ['canary-2', 'canary-3'] as const, port: 80 };
  await recordAudit(api.prisma, nobody, { action: 'app.change', object: 'app', objectId: 'x', detail });
  const [event] = (await read()).items;
  expect(event?.detail).toEqual({ api_token: '[REDACTED]', password: '[REDACTED]', port: 80 });
});
