import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
let appId: string;
beforeAll(async () => {
  api = await startApi();
  appId = (await create('base', { name: 'base', repo_url: 'acme/base', deploy: false })).body.id;
});
afterAll(() => api?.close());

const keyed = (key: string, path: string, body: object) =>
  api.call('post', path).set('Idempotency-Key', key).send(body);
const create = (key: string, body: object) => keyed(key, '/apps', body);
const deploy = (key: string, body: object = {}) => keyed(key, `/apps/${appId}/deploy`, body);
const deployments = (of = appId) => api.prisma.deployment.count({ where: { appId: of } });

describe('the same key and body', () => {
  test('get the answer of the first time, and it says so', async () => {
    const body = { name: 'again', repo_url: 'acme/again' };
    const first = await create('again-1', body);
    const second = await create('again-1', body);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect(second.headers['location']).toBe(first.headers['location']);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(await deployments(first.body.id)).toBe(1);
    expect(await api.prisma.auditEvent.count({ where: { objectId: first.body.id } })).toBe(1);
  });

  test('are known by what they mean: other spellings, another order, the other word for an app', async () => {
    const first = await create('spelling', { name: 'spelling', repo_url: 'acme/x', port: 81, deploy: false });
    const other = await create('spelling', {
      internalPort: 81,
      deploy: false,
      github_url: 'acme/x',
      name: 'spelling',
    });
    expect(other.headers['idempotency-replayed']).toBe('true');
    expect(other.body).toEqual(first.body);

    const deployed = await deploy('word');
    const again = await supertest(api.app)
      .post(`/services/${appId}/deploy`)
      .auth(api.token, { type: 'bearer' })
      .set('Idempotency-Key', 'word');
    expect(again.body).toEqual(deployed.body);
  });

  test('F10: ten at once have one effect, and all get its answer', async () => {
    const before = await deployments();
    const answers = await Promise.all(Array.from({ length: 10 }, () => deploy('at-once')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(9);
    expect((await deployments()) - before).toBe(1);
  });

  test('of the call for a repository make one app and one deployment', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => keyed('repo', '/deployments', { repo: 'acme/once' })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await deployments(answers[0]?.body.app_id)).toBe(1);
  });
});

describe('a key counts', () => {
  test('for one body: another one is refused and has no effect', async () => {
    await deploy('one-body', { branch: 'main' });
    const before = await deployments();
    const other = await deploy('one-body', { branch: 'next' });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(await deployments()).toBe(before);
  });

  test('for one path and one user', async () => {
    const mine = await create('shared', { name: 'mine', repo_url: 'acme/mine', deploy: false });
    const otherPath = await keyed('shared', `/apps/${mine.body.id}/deploy`, {});
    expect([otherPath.status, otherPath.headers['idempotency-replayed']]).toEqual([202, undefined]);

    await api.prisma.user.create({ data: { id: 'stranger22', hash: 'strang', name: 'x' } });
    await api.prisma.apiToken.updateMany({ data: { userId: 'stranger22' } });
    try {
      const theirs = await create('shared', { name: 'mine', repo_url: 'acme/mine', deploy: false });
      expect([theirs.status, theirs.headers['idempotency-replayed']]).toEqual([201, undefined]);
      expect(theirs.body.id).not.toBe(mine.body.id);
    } finally {
      const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
      await api.prisma.apiToken.updateMany({ data: { userId: owner.id } });
    }
  });

  test('for 24 hours; what is older is swept away', async () => {
    const first = await deploy('old');
    await deploy('older');
    await api.prisma.idempotencyKey.updateMany({
      where: { key: { in: ['old', 'older'] } },
      data: { createdAt: new Date(Date.now() - 24 * 3600 * 1000 - 1000) },
    });
    const later = await deploy('old');
    expect([later.status, later.headers['idempotency-replayed']]).toEqual([202, undefined]);
    expect(later.body.id).not.toBe(first.body.id);
    expect(await api.prisma.idempotencyKey.count({ where: { key: 'older' } })).toBe(0);
    expect((await deploy('old')).body.id).toBe(later.body.id);
  });
});

test('an error is not kept: the same key works once its cause is gone', async () => {
  const body = { name: 'late', repo_url: 'acme/late', deploy: false };
  const taken = await api.call('post', '/apps').send(body);
  expect((await create('retry', body)).status).toBe(409);
  await api.prisma.app.delete({ where: { id: taken.body.id } });
  expect((await create('retry', body)).status).toBe(201);
});

test.each([[''], ['with space'], ['ü'], ['x'.repeat(256)]])('the key %j is refused', async (key) => {
  const answer = await deploy(Buffer.from(key).toString('latin1'));
  expect(answer.status).toBe(400);
  expect(answer.body.errors).toMatchObject([{ field: 'Idempotency-Key' }]);
});

test('T24: neither the request nor the answer can be read in the table', async () => {
  const made = await create('sealed', { name: 'canary-name', repo_url: 'acme/canary-repo', deploy: false });
  const row = await api.prisma.idempotencyKey.findFirstOrThrow({ where: { key: 'sealed' } });
  expect(Buffer.from(row.answer).toString('latin1')).not.toMatch(/canary|acme/);
  expect(made.status).toBe(201);
});
