import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { newToken, tokenHash, tokenPrefix } from '../auth/api-token.ts';
import type { TokenScope } from '../db/database.ts';
import { newId } from '../db/ids.ts';

const CANARY = 'canary-4f2a9c0e';
const MASK = '••••';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

let count = 0;
async function makeApp(): Promise<string> {
  count += 1;
  const body = { name: `app-${count}`, repo_url: 'acme/shop', deploy: false };
  return (await api.call('post', '/apps').send(body)).body.id;
}
const list = async (id: string) => (await api.call('get', `/apps/${id}/env`)).body;
const put = (id: string, variables: object, query = '') =>
  api.call('put', `/apps/${id}/env${query}`).send({ variables });
const add = (id: string, body: object) => api.call('post', `/apps/${id}/env`).send(body);
const exported = async (id: string) => (await api.call('get', `/apps/${id}/env/export`)).text;
const keysOf = (body: { items: { key: string }[] }) => body.items.map(({ key }) => key);

/** What a worker would leave: a release with the app's present settings. */
async function goLive(appId: string): Promise<void> {
  const { body } = await api.call('post', `/apps/${appId}/deploy`).send({});
  await api.prisma.deployment.updateMany({ where: { appId, status: 'live' }, data: { status: 'retired' } });
  await api.prisma.deployment.update({ where: { id: body.id }, data: { status: 'live' } });
  await api.prisma.app.update({ where: { id: appId }, data: { liveDeploymentId: body.id } });
}

describe('one variable', () => {
  test('is added, changed by its key or its id, and removed, and never told', async () => {
    const id = await makeApp();
    const added = await add(id, { key: 'TOKEN', value: CANARY });
    expect(added.status).toBe(201);
    expect(added.headers['location']).toBe(`/api/v1/apps/${id}/env/TOKEN`);
    expect(added.body).toMatchObject({ key: 'TOKEN', scope: 'runtime', value: MASK, pending: false });

    const byKey = await api.call('patch', `/apps/${id}/env/TOKEN`).send({ value: `${CANARY}-2` });
    expect(byKey.body).toMatchObject({ id: added.body.id, scope: 'runtime', value: MASK });
    const byId = await api.call('patch', `/apps/${id}/env/${added.body.id}`).send({ scope: 'both' });
    expect(byId.body).toMatchObject({ key: 'TOKEN', scope: 'both' });
    expect(await exported(id)).toBe(`TOKEN=${CANARY}-2\n`);
    expect(await list(id)).toEqual({ items: [byId.body], pending_changes: [] });

    expect((await api.call('delete', `/apps/${id}/env/TOKEN`)).status).toBe(204);
    expect((await api.call('delete', `/apps/${id}/env/TOKEN`)).status).toBe(404);
    expect((await api.call('patch', `/apps/${id}/env/TOKEN`).send({ value: '' })).body).toMatchObject({
      status: 404,
      detail: 'The app has no variable of this name.',
    });
    for (const { text } of [added, byKey, byId]) expect(text).not.toContain('canary');
  });

  test('that is there already is not written over by POST', async () => {
    const id = await makeApp();
    await add(id, { key: 'A', value: '1' });
    const again = await add(id, { key: 'A', value: '2' });
    expect(again.body).toMatchObject({ status: 409, code: 'name_taken', errors: [{ field: '/key' }] });
    expect(await exported(id)).toBe('A=1\n');
  });

  test('added twice with one Idempotency-Key is added once', async () => {
    const id = await makeApp();
    const send = () => add(id, { key: 'A', value: '1' }).set('Idempotency-Key', 'env-1');
    const [first, second] = [await send(), await send()];
    expect([second.status, second.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(second.body).toEqual(first.body);
  });

  test('whose key looks like the id of another is itself', async () => {
    const id = await makeApp();
    const { body: first } = await add(id, { key: 'FIRST', value: '1' });
    await add(id, { key: first.id, value: '2' });
    await api.call('delete', `/apps/${id}/env/${first.id}`);
    expect(await exported(id)).toBe('FIRST=1\n');
  });

  test.each([
    ['nothing', {}],
    ['an unknown field', { value: 'x', key: 'B' }],
    ['an unknown scope', { scope: 'all' }],
    ['null', { value: null }],
  ])('cannot be changed to %s', async (_what, change) => {
    const id = await makeApp();
    await add(id, { key: 'A', value: '1' });
    const answer = await api.call('patch', `/apps/${id}/env/A`).send(change);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_input' });
  });
});

describe('T36: a variable', () => {
  test.each(['A=B', 'A\nB', '$(id)', '', '🔑', '1A', 'A B', 'K'.repeat(129)])(
    'of key %j is refused',
    async (key) => {
      const id = await makeApp();
      const answer = await add(id, { key, value: 'x' });
      expect(answer.body).toMatchObject({ status: 400, errors: [{ field: '/key' }] });
      expect((await put(id, [{ key, value: 'x' }])).status).toBe(400);
      expect((await put(id, { [key]: 'x' })).status).toBe(400);
      expect(await list(id)).toEqual({ items: [], pending_changes: [] });
    },
  );

  test.each([
    ['over 32 KB', `${CANARY}${'x'.repeat(32_768)}`],
    ['with a NUL', `${CANARY}\0`],
    ['with half a character', `${CANARY}\ud800`],
    ['that is no text', 7],
  ])('of a value %s is refused, and the answer holds nothing of it', async (_what, value) => {
    const id = await makeApp();
    for (const answer of [
      await add(id, { key: 'A', value }),
      await put(id, { A: value }),
      await put(id, [{ key: 'A', value }]),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain('canary');
    }
  });

  test('of a value of 32 KB is taken, of a megabyte the body is too large', async () => {
    const id = await makeApp();
    expect((await add(id, { key: 'A', value: 'x'.repeat(32_768) })).status).toBe(201);
    const huge = await add(id, { key: 'B', value: 'x'.repeat(1_100_000) });
    expect([huge.status, huge.body.code]).toEqual([413, 'body_too_large']);
  });

  test('beyond 200, or beyond 100 KB together, is refused and changes nothing', async () => {
    const id = await makeApp();
    const many = (number: number, value: string) =>
      Object.fromEntries(Array.from({ length: number }, (_, index) => [`K${index}`, value]));
    expect((await put(id, many(201, ''))).body).toMatchObject({
      status: 400,
      errors: [{ field: 'environment', message: 'must have at most 200 variables' }],
    });
    expect((await put(id, many(200, ''))).status).toBe(200);
    expect((await add(id, { key: 'MORE', value: '' })).status).toBe(400);
    expect((await put(id, many(4, 'x'.repeat(25_601)))).status).toBe(400);
    expect((await list(id)).items).toHaveLength(200);
  });

  test('T22: with a name that means something to builders is for run time alone', async () => {
    const id = await makeApp();
    const refused = await add(id, { key: 'BUILDKIT_SYNTAX', value: 'x', scope: 'build' });
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'BUILDKIT_SYNTAX' }] });
    expect((await add(id, { key: 'HTTP_PROXY', value: 'x' })).status).toBe(201);
    expect((await api.call('patch', `/apps/${id}/env/HTTP_PROXY`).send({ scope: 'both' })).status).toBe(400);
  });
});

describe('the whole environment', () => {
  test('is replaced by PUT, as an object or as a list, and merged when asked for', async () => {
    const id = await makeApp();
    expect(keysOf((await put(id, { B: '2', A: '1' })).body)).toEqual(['A', 'B']);
    const merged = await put(id, [{ key: 'C', value: '3', scope: 'build' }], '?merge=true');
    expect(keysOf(merged.body)).toEqual(['A', 'B', 'C']);
    // A scope that is not given stays.
    expect((await put(id, { C: 'three' })).body.items).toMatchObject([{ key: 'C', scope: 'build' }]);
    expect(await exported(id)).toBe('C=three\n');
    expect((await put(id, {})).body).toEqual({ items: [], pending_changes: [] });
    expect((await put(id, {}, '?merge=yes')).status).toBe(400);
    expect((await api.call('put', `/apps/${id}/env`).send({ env: { D: '4' } })).status).toBe(200);
    expect((await api.call('put', `/apps/${id}/env`).send({})).status).toBe(400);
  });

  test('A11: comes back from .env as it went there, and is imported as it was exported', async () => {
    const [one, two] = [await makeApp(), await makeApp()];
    const values = fc
      .sample(fc.string({ unit: 'grapheme', maxLength: 60 }), { numRuns: 190, seed: 3 })
      .filter((value) => !value.includes('\0'))
      .concat(['', '\'"`\\', 'a\r\nb\n', '$A $(B) #c', '-----BEGIN KEY-----\nx==\n-----END KEY-----\n']);
    const variables = Object.fromEntries(values.map((value, index) => [`V_${index}`, value]));
    expect((await put(one, variables)).status).toBe(200);

    const text = await exported(one);
    const imported = await api.call('post', `/apps/${two}/env/import`).send({ text: `\ufeff${text}` });
    expect(imported.status).toBe(200);
    expect(keysOf(imported.body)).toEqual(Object.keys(variables).toSorted());
    expect(await exported(two)).toBe(text);
    // Nothing to do: the rows stay untouched.
    const before = await list(one);
    await api.call('post', `/apps/${one}/env/import`).send({ text });
    expect(await list(one)).toEqual(before);
  });

  test('keeps what an import does not name, and takes its scope', async () => {
    const id = await makeApp();
    await put(id, [
      { key: 'A', value: '1', scope: 'both' },
      { key: 'B', value: '2' },
    ]);
    const text = '# from my machine\nexport A="one" # first\nC=3\n';
    const answer = await api.call('post', `/apps/${id}/env/import`).send({ text });
    expect(answer.body.items.map(({ key, scope }: { key: string; scope: string }) => [key, scope])).toEqual([
      ['A', 'both'],
      ['B', 'runtime'],
      ['C', 'runtime'],
    ]);
    await api.call('post', `/apps/${id}/env/import`).send({ text: 'C=3', scope: 'build' });
    expect((await list(id)).items.at(-1)).toMatchObject({ key: 'C', scope: 'build' });
  });

  test('of a file that cannot be read stays as it was, and the line is named, not repeated', async () => {
    const id = await makeApp();
    await put(id, { A: '1' });
    const answer = await api.call('post', `/apps/${id}/env/import`).send({ text: `A=2\nB="${CANARY}\n` });
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'invalid_input',
      errors: [{ field: '/text', message: 'line 2: begins a quote " that is never closed' }],
    });
    expect(answer.text).not.toContain('canary');
    expect(await exported(id)).toBe('A=1\n');
  });
});

describe('A13: a change waits for the next deployment', () => {
  test('and each variable, the environment and the app say so', async () => {
    const id = await makeApp();
    await put(id, { SAME: '1', OTHER: '1', GONE: '1' });
    expect((await list(id)).pending_changes).toEqual([]);
    await goLive(id);
    const pendingOf = async () => {
      const { items, pending_changes } = await list(id);
      const marked = items.filter(({ pending }: { pending: boolean }) => pending);
      return [
        keysOf({ items: marked }),
        pending_changes,
        (await api.call('get', `/apps/${id}`)).body.pending_changes,
      ];
    };
    expect(await pendingOf()).toEqual([[], [], []]);

    await put(id, { SAME: '1', OTHER: '2', NEW: '1' });
    expect(await pendingOf()).toEqual([['NEW', 'OTHER'], ['GONE', 'NEW', 'OTHER'], ['environment']]);
    const { body } = await api.call('get', '/apps');
    const listed = body.items.find((app: { id: string }) => app.id === id);
    expect(listed.pending_changes).toEqual(['environment']);

    await goLive(id);
    expect(await pendingOf()).toEqual([[], [], []]);
    await api.call('patch', `/apps/${id}/env/NEW`).send({ scope: 'both' });
    expect(await pendingOf()).toEqual([['NEW'], ['NEW'], ['environment']]);
  });
});

describe('T57: values', () => {
  test('are told by the export alone, which nobody stores and everybody can look up', async () => {
    const id = await makeApp();
    await put(id, { TOKEN: CANARY });
    await goLive(id);
    const answer = await api.call('get', `/apps/${id}/env/export`);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(`TOKEN=${CANARY}\n`);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const audit = await api.prisma.auditEvent.findFirstOrThrow({
      where: { action: 'environment.export', objectId: id },
    });
    expect(audit.detail).toMatchObject({ keys: ['TOKEN'] });
    for (const path of ['', '/env', '/deployments', '/logs']) {
      expect((await api.call('get', `/apps/${id}${path}`)).text).not.toContain('canary');
    }
  });

  test('stand in no audit row', async () => {
    const id = await makeApp();
    const { body } = await add(id, { key: 'TOKEN', value: `${CANARY}-1` });
    await api.call('patch', `/apps/${id}/env/TOKEN`).send({ value: `${CANARY}-2` });
    await put(id, { OTHER: `${CANARY}-3` });
    await api.call('post', `/apps/${id}/env/import`).send({ text: `THIRD=${CANARY}-4` });
    await api.call('delete', `/apps/${id}/env/OTHER`);
    const rows = await api.prisma.auditEvent.findMany({ orderBy: { id: 'asc' } });
    expect(JSON.stringify(rows.map(({ detail }) => detail))).not.toContain('canary');
    const ours = rows.filter(({ objectId, detail }) => objectId === id || Object(detail)['app_id'] === id);
    expect(ours.map(({ action, object, detail }) => [action, object, detail]).slice(1)).toMatchObject([
      ['env_var.create', 'env_var', { app_id: id, key: 'TOKEN', scope: 'runtime' }],
      ['env_var.change', 'env_var', { app_id: id, key: 'TOKEN', value_changed: true }],
      ['environment.store', 'app', { added: ['OTHER'], changed: [], removed: ['TOKEN'] }],
      ['environment.import', 'app', { added: ['THIRD'], changed: [], removed: [] }],
      ['env_var.delete', 'env_var', { app_id: id, key: 'OTHER' }],
    ]);
    expect(ours[1]?.objectId).toBe(body.id);
  });
});

describe('who may', () => {
  async function tokenOf(userId: string, scope: TokenScope): Promise<string> {
    const token = newToken();
    await api.prisma.apiToken.create({
      data: {
        id: newId(),
        userId,
        name: scope,
        prefix: tokenPrefix(token),
        tokenHash: tokenHash(token),
        scope,
      },
    });
    return token.reveal();
  }
  const CALLS = [
    ['get', '/env', undefined, 'read'],
    ['get', '/env/export', undefined, 'admin'],
    ['post', '/env', { key: 'A', value: '1' }, 'admin'],
    ['put', '/env', { variables: {} }, 'admin'],
    ['post', '/env/import', { text: '' }, 'admin'],
    ['patch', '/env/TOKEN', { value: '1' }, 'admin'],
    ['delete', '/env/TOKEN', undefined, 'admin'],
  ] as const;

  test('T57: a token for reading or deploying sees the names, and neither reads nor changes a value', async () => {
    const id = await makeApp();
    await put(id, { TOKEN: CANARY });
    const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
    for (const scope of ['read', 'deploy'] as const) {
      const token = await tokenOf(owner.id, scope);
      for (const [method, path, body, needed] of CALLS) {
        const answer = await supertest(api.app)
          [method](`/api/v1/apps/${id}${path}`)
          .auth(token, { type: 'bearer' })
          .send(body);
        expect([method, path, answer.status]).toEqual([method, path, needed === 'read' ? 200 : 403]);
        expect(answer.text).not.toContain('canary');
      }
    }
    expect(await exported(id)).toBe(`TOKEN=${CANARY}\n`);
  });

  test('T41: an app of somebody else answers as one that is missing', async () => {
    const id = await makeApp();
    await put(id, { TOKEN: CANARY });
    const stranger = await api.prisma.user.create({ data: { id: newId(), hash: 'strang', name: 'x' } });
    const token = await tokenOf(stranger.id, 'admin');
    for (const [method, path, body] of CALLS) {
      const ask = (app: string) =>
        supertest(api.app)[method](`/api/v1/apps/${app}${path}`).auth(token, { type: 'bearer' }).send(body);
      const [foreign, missing] = [await ask(id), await ask('zzzzzzzzzz')];
      expect([method, path, foreign.status]).toEqual([method, path, 404]);
      expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    }
    expect(await exported(id)).toBe(`TOKEN=${CANARY}\n`);
  });

  test('an app that is being deleted takes no changes', async () => {
    const id = await makeApp();
    await put(id, { TOKEN: CANARY });
    await api.call('delete', `/apps/${id}`);
    for (const [method, path, body, needed] of CALLS) {
      if (needed === 'read' || path.endsWith('export')) continue;
      const answer = await api.call(method, `/apps/${id}${path}`).send(body);
      expect([method, path, answer.body.code]).toEqual([method, path, 'app_deleting']);
    }
  });
});
