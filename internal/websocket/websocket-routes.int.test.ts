import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { signedIn } from '../../test/support/browser.ts';
import { EventReader } from '../../test/support/event-reader.ts';
import { SocketClient } from '../../test/support/socket-client.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { newToken, tokenHash, tokenPrefix } from '../auth/api-token.ts';
import { newId, newUserHash } from '../db/ids.ts';
import { type Listening, listen } from '../http/listen.ts';
import { appendLines, type NewLine } from '../logs/append-lines.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';

const LIMITS = { recheckMs: 100, stallMs: 1_000, settleMs: 100, subscriptions: 3 };
const RATES = { requests: 100_000, deploys: 100, signIns: 100, webhooks: 100, streamsPerUser: 2_000 };
const PUBLIC = 'https://berth.apps.test';
const LISTED = 'https://panel.example';
const MISSING = 'aaaaaaaaaa';

let api: ApiUnderTest;
let server: Listening;
const clients: (SocketClient | EventReader)[] = [];
beforeAll(async () => {
  api = await startApi({
    settings: { publicUrl: PUBLIC, rateLimits: RATES },
    corsOrigins: [LISTED],
    socketLimits: LIMITS,
  });
  server = await listen(api.app, { port: 0, address: '127.0.0.1' });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await server?.close(500);
  await api?.close();
});

const bearer = (token = api.token) => ({ authorization: `Bearer ${token}` });
function connect(options: ConstructorParameters<typeof SocketClient>[1] = { headers: bearer() }) {
  const client = new SocketClient(server.port, options);
  clients.push(client);
  return client;
}
function follow(path: string) {
  const reader = new EventReader({ port: server.port, path: `/api/v1${path}`, headers: bearer() });
  clients.push(reader);
  return reader;
}
async function newApp() {
  const name = `web-${newId()}`;
  const made = await api.call('post', '/apps').send({ name, repo_url: 'acme/web' });
  const { id, latest_deployment } = made.body as { id: string; latest_deployment: { id: string } };
  // Its own first status would stand in front of what a test writes.
  await api.prisma.logStream.deleteMany({ where: { id: latest_deployment.id } });
  return { appId: id, deploymentId: latest_deployment.id };
}
const line = (text: string): NewLine => ({ source: 'build', level: 'info', stream: 'stdout', text });
const status = (state: object): NewLine => ({
  source: 'status',
  level: 'deploy',
  stream: null,
  text: JSON.stringify(state),
});
const FAILED = { status: 'failed', step: null, failure_code: 'build_failed', failure_reason: 'It failed.' };
const append = (streamId: string, ...lines: NewLine[]) => appendLines(api.prisma, streamId, lines);
/** As a worker does: the row and the line that says so are there together. */
async function fail(id: string): Promise<void> {
  await api.prisma.$transaction(async (tx) => {
    await tx.deployment.update({ where: { id }, data: { status: 'failed', failureCode: 'build_failed' } });
    await appendLines(tx, id, [status(FAILED)]);
  });
}
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const subscribe = (topic: object, after?: number) => ({ type: 'subscribe', ...topic, after });

describe('opening', () => {
  test.each<[string, Record<string, string>, number]>([
    ['T41: without a token', {}, 401],
    ['with a wrong token', { authorization: `Bearer berth_${'x'.repeat(43)}` }, 401],
  ])('%s is refused', async (_what, headers, expected) => {
    const client = await connect({ headers }).answered();
    expect(client.status).toBe(expected);
  });

  test('T45: a token in the address is none', async () => {
    const client = await connect({ path: `/api/v1/ws?token=${api.token}` }).answered();
    expect(client.status).toBe(401);
  });

  test.each([
    'https://evil.example',
    `${PUBLIC}.evil.example`,
    'https://berth.apps.test:8443',
    'http://berth.apps.test',
    'null',
  ])('T51: a page of %s is refused', async (origin) => {
    const client = await connect({ headers: { ...bearer(), origin } }).answered();
    expect(client.status).toBe(403);
  });

  test.each([
    ['our own page', { origin: PUBLIC }],
    ['a listed page', { origin: LISTED }],
    ['a program, which sends no origin', {}],
  ])('%s may, at both addresses', async (_what, headers) => {
    for (const path of ['/ws', '/api/v1/ws']) {
      const client = await connect({ path, headers: { ...bearer(), ...headers } }).answered();
      expect(client.isOpen).toBe(true);
    }
  });

  test('T51: a session opens one from our page only: a cookie alone is no browser’s', async () => {
    const cookie = (await signedIn(api.app, api.token)).cookieHeader;
    const statuses: (number | null)[] = [];
    for (const origin of [{ origin: PUBLIC }, { origin: LISTED }, {}, { origin: 'https://evil.example' }]) {
      statuses.push((await connect({ headers: { cookie, ...origin } }).answered()).status);
    }
    expect(statuses).toEqual([null, null, 403, 403]);
  });

  test('a plain request is told what this address is', async () => {
    const answer = await api.call('get', '/ws');
    expect([answer.status, answer.body.code]).toEqual([426, 'upgrade_required']);
    expect(answer.headers['upgrade']).toBe('websocket');
  });

  test('a WebSocket to another address gets the answer that a request would get', async () => {
    for (const [path, expected] of [
      ['/api/v1/apps', 200],
      ['/api/v1/nothing', 404],
      ['/health', 200],
    ] as const) {
      expect((await connect({ path, headers: bearer() }).answered()).status).toBe(expected);
    }
  });
});

describe('subscribed', () => {
  test('it gets the same events as a server-sent stream, what is there and what comes', async () => {
    const { deploymentId } = await newApp();
    await append(deploymentId, status({ status: 'building', step: 'cloning' }), line('\u001b[31mred <b>'));
    const client = connect();
    await client.send(subscribe({ deployment_id: deploymentId }));
    const reader = follow(`/deployments/${deploymentId}/logs/stream`);
    await client.count(3);
    await append(deploymentId, line('x\n\nevent: status\ndata: {"status":"live"}\n\n'), status(FAILED));
    await append(deploymentId, line('last words'));
    await client.got('end');
    await reader.closed();

    const [first, ...events] = client.messages;
    expect(first).toEqual({ type: 'subscribed', deployment_id: deploymentId, after: 0 });
    expect(events).toEqual(
      reader.events.map(({ id, event, data }) => ({
        type: event,
        deployment_id: deploymentId,
        ...(id === null ? {} : { id: Number(id) }),
        data,
      })),
    );
    // T67: what looked like a status was a line.
    expect(events.map(({ type }) => type)).toEqual(['status', 'line', 'line', 'status', 'line', 'end']);
  });

  test('the log of an app is the same as its stream, and of a finished deployment all of it comes, then the end', async () => {
    const { appId, deploymentId } = await newApp();
    await append(runtimeStreamId(appId), line('one'), line('two'));
    await append(deploymentId, ...upTo(2500).map((n) => line(`${n}`)));
    await fail(deploymentId);
    const client = connect();
    await client.send(subscribe({ app_id: appId }));
    await client.send(subscribe({ deployment_id: deploymentId }));
    await client.got('end');
    const ofApp = client.messages.filter((message) => message['app_id'] === appId && message.type === 'line');
    const reader = follow(`/apps/${appId}/logs/stream`);
    await reader.count(2);
    expect(ofApp.map(({ data }) => data)).toEqual(reader.events.map(({ data }) => data));
    const ofDeployment = client.messages.filter((message) => message['deployment_id'] === deploymentId);
    expect(ofDeployment.flatMap(({ id }) => (id === undefined ? [] : [id]))).toEqual(upTo(2501));
  });

  test('A14, F45: cut again and again while lines come, each comes once and in order', async () => {
    const { deploymentId } = await newApp();
    const last = 2000;
    const writing = (async () => {
      for (let n = 0; n < last; ) {
        const batch = Array.from({ length: 1 + (n % 37) }, (_, index) => n + index).filter((m) => m < last);
        await append(deploymentId, ...batch.map((m) => line(`line ${m}`)));
        n += batch.length;
      }
      await fail(deploymentId);
    })();
    const received: number[] = [];
    let cuts = 0;
    for (let isOver = false; !isOver && cuts < 1000; cuts += 1) {
      const client = connect();
      await client.send(subscribe({ deployment_id: deploymentId }, received.at(-1) ?? 0));
      // Not a fixed number: the cut falls anywhere.
      const enough = 2 + ((cuts * 131) % 300);
      await waitUntil('some events', () => client.messages.length >= enough || client.of('end').length > 0, {
        intervalMs: 1,
      });
      client.cut();
      isOver = client.of('end').length > 0;
      received.push(...client.ids);
    }
    await writing;
    expect(cuts).toBeGreaterThan(5);
    expect(received).toEqual(upTo(last + 1));
  });

  test('one socket may have several, and end one of them', async () => {
    const [one, two] = [await newApp(), await newApp()];
    const client = connect();
    await client.send(subscribe({ app_id: one.appId }));
    await client.send(subscribe({ app_id: two.appId }));
    await client.count(2);
    await client.send({ type: 'unsubscribe', app_id: one.appId });
    await client.got('unsubscribed');
    await append(runtimeStreamId(one.appId), line('unheard'));
    await append(runtimeStreamId(two.appId), line('heard'));
    await client.got('line');
    expect(client.of('line').map((message) => message['app_id'])).toEqual([two.appId]);
    // And again, from where it was.
    await client.send(subscribe({ app_id: one.appId }, 0));
    await client.count(6);
    expect(client.messages.at(-1)).toMatchObject({ app_id: one.appId, id: 1, data: { text: 'unheard' } });
  });

  test('T42: a foreign one is as a missing one: the same words, and nothing sent', async () => {
    const { prisma } = api;
    const user = await prisma.user.create({ data: { id: newId(), hash: newUserHash(), name: 'other' } });
    const token = newToken();
    await prisma.apiToken.create({
      data: {
        id: newId(),
        userId: user.id,
        name: 't',
        prefix: tokenPrefix(token),
        tokenHash: tokenHash(token),
      },
    });
    const { appId, deploymentId } = await newApp();
    await append(deploymentId, line('secret of another'));
    const client = connect({ headers: bearer(token.reveal()) });
    for (const topic of [{ app_id: appId }, { app_id: MISSING }]) await client.send(subscribe(topic));
    for (const id of [deploymentId, MISSING]) await client.send(subscribe({ deployment_id: id }));
    await client.count(4);
    await append(deploymentId, line('more'));
    await client.send({ type: 'ping' });
    await client.got('pong');
    const words = ({ code, detail }: Record<string, unknown>) => ({ code, detail });
    const [foreignApp, missingApp, foreignDeployment, missingDeployment] = client.messages.map(words);
    expect(foreignApp).toEqual(missingApp);
    expect(foreignDeployment).toEqual(missingDeployment);
    expect(client.messages.map(({ type }) => type)).toEqual(['error', 'error', 'error', 'error', 'pong']);
    expect(foreignDeployment).toEqual({ code: 'not_found', detail: 'There is no deployment with this id.' });
  });
});

describe('T42: while it is open', () => {
  test('a token that is revoked ends it, also of a socket without subscriptions', async () => {
    const token = newToken();
    const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
    const id = newId();
    await api.prisma.apiToken.create({
      data: { id, userId: owner.id, name: 't', prefix: tokenPrefix(token), tokenHash: tokenHash(token) },
    });
    const { appId } = await newApp();
    const [idle, reading] = [
      connect({ headers: bearer(token.reveal()) }),
      connect({ headers: bearer(token.reveal()) }),
    ];
    await idle.answered();
    await reading.send(subscribe({ app_id: appId }));
    await reading.got('subscribed');
    await api.prisma.apiToken.delete({ where: { id } });
    expect((await idle.untilClosed()).code).toBe(4401);
    expect((await reading.untilClosed()).code).toBe(4401);
  });

  test('a session that is signed out ends it', async () => {
    const browser = await signedIn(api.app, api.token);
    const client = connect({ headers: { cookie: browser.cookieHeader, origin: PUBLIC } });
    await client.answered();
    await browser.send('post', '/auth/logout');
    expect((await client.untilClosed()).code).toBe(4401);
  });

  test('an app that is removed ends its subscription; the last one ends the socket', async () => {
    const [one, two] = [await newApp(), await newApp()];
    const client = connect();
    for (const { appId } of [one, two]) await client.send(subscribe({ app_id: appId }));
    await client.count(2);
    await api.prisma.app.delete({ where: { id: one.appId } });
    expect(await client.got('error')).toMatchObject({ app_id: one.appId, code: 'not_found' });
    await append(runtimeStreamId(two.appId), line('still here'));
    await client.got('line');
    await api.prisma.app.delete({ where: { id: two.appId } });
    expect((await client.untilClosed()).code).toBe(4404);
  });

  test('a database that is away for a moment ends nothing', async () => {
    const { appId } = await newApp();
    const client = connect();
    await client.send(subscribe({ app_id: appId }));
    await client.got('subscribed');
    await api.prisma.$queryRaw`
      SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    await append(runtimeStreamId(appId), line('after'));
    await client.got('line');
    expect(client.closed).toBeNull();
  });
});

describe('T59, T69: no client costs more than its share', () => {
  test('a message over 8 KB ends the socket', async () => {
    const client = connect();
    await client.send({ type: 'subscribe', deployment_id: 'x'.repeat(8 * 1024) });
    expect((await client.untilClosed()).code).toBe(1009);
  });

  test('bytes end the socket; what is no message is answered, and the next one is heard', async () => {
    const bytes = connect();
    await bytes.answered();
    bytes.sendBytes(Buffer.from('{"type":"ping"}'));
    expect((await bytes.untilClosed()).code).toBe(1003);

    const client = connect();
    await client.send('{"type":');
    await client.send({ type: 'shout' });
    await client.send({ type: 'ping' });
    await client.count(3);
    expect(client.messages.map(({ type, code }) => [type, code])).toEqual([
      ['error', 'malformed_json'],
      ['error', 'invalid_input'],
      ['pong', undefined],
    ]);
  });

  test('a flood of messages ends the socket', async () => {
    const { appId } = await newApp();
    const client = connect();
    await client.answered();
    for (const _ of upTo(500)) await client.send(subscribe({ app_id: appId }));
    expect((await client.untilClosed()).code).toBe(4429);
  });

  test('so many subscriptions and no more, and none of them twice', async () => {
    const apps = [await newApp(), await newApp(), await newApp(), await newApp()];
    const client = connect();
    for (const { appId } of apps) await client.send(subscribe({ app_id: appId }));
    await client.send(subscribe({ app_id: apps[0]?.appId }));
    await client.count(5);
    expect(client.messages.map(({ type, code }) => code ?? type)).toEqual([
      'subscribed',
      'subscribed',
      'subscribed',
      'rate_limited',
      'invalid_input',
    ]);
  });

  test('a client that takes nothing is closed with bounded memory and may resume; others do not wait', async () => {
    const { deploymentId } = await newApp();
    const stuck = connect();
    await stuck.send(subscribe({ deployment_id: deploymentId }));
    await stuck.got('subscribed');
    stuck.pause();
    const quick = connect();
    await quick.send(subscribe({ deployment_id: deploymentId }));
    const before = process.memoryUsage().arrayBuffers;
    for (let batch = 0; batch < 40; batch += 1) {
      await append(deploymentId, ...upTo(100).map(() => line('x'.repeat(10_000))));
    }
    await waitUntil('all lines', () => quick.ids.length === 4000);
    // 40 MB were written: what waits for the stuck one is a page and socket buffers.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
    stuck.resume();
    const closed = await stuck.untilClosed();
    expect(closed).toMatchObject({ code: 4408, reason: expect.stringContaining('last id') });
    expect(stuck.ids.length).toBeLessThan(2000);
    const resumed = connect();
    await resumed.send(subscribe({ deployment_id: deploymentId }, stuck.ids.at(-1)));
    await waitUntil('the rest', () => resumed.ids.at(-1) === 4000);
    expect([...stuck.ids, ...resumed.ids]).toEqual(upTo(4000));
  });
});

describe('a server of its own', () => {
  let other: ApiUnderTest;
  let its: Listening;
  beforeAll(async () => {
    other = await startApi({
      settings: { rateLimits: { ...RATES, streamsPerUser: 3 } },
      socketLimits: { heartbeatMs: 200 },
    });
    its = await listen(other.app, { port: 0, address: '127.0.0.1' });
  });
  afterAll(async () => {
    await its?.close(500);
    await other?.close();
  });
  const open = (options: { answersPings?: boolean } = {}) =>
    new SocketClient(its.port, { headers: bearer(other.token), ...options }).answered();

  test('a client that answers no ping is closed, a silent one that does stays', async () => {
    const silent = await open();
    const dead = await open({ answersPings: false });
    expect((await dead.untilClosed()).code).toBe(4408);
    expect(silent.isOpen).toBe(true);
    silent.close();
  });

  test('T54: a socket, each of its subscriptions and each server-sent stream count as one stream of the user', async () => {
    const made = await other.call('post', '/apps').send({ name: 'web', repo_url: 'acme/web' });
    const { id } = made.body as { id: string };
    const path = `/api/v1/apps/${id}/logs/stream`;
    const stream = () => new EventReader({ port: its.port, path, headers: bearer(other.token) });
    const first = stream();
    await first.opened();
    const socket = await open();
    await socket.send(subscribe({ app_id: id }));
    await socket.got('subscribed');

    const tooMany = stream();
    await tooMany.opened();
    expect(tooMany.status).toBe(429);
    expect((await open()).status).toBe(429);
    await socket.send(
      subscribe({ deployment_id: (made.body as { latest_deployment: { id: string } }).latest_deployment.id }),
    );
    expect(await socket.got('error')).toMatchObject({ code: 'rate_limited' });

    socket.close();
    first.close();
    await waitUntil('three places to be free', async () => {
      const again = [await open(), await open(), await open()];
      for (const client of again) client.close();
      return again.every(({ status }) => status === null);
    });
  });

  test('F12: when the process closes, clients are told to come back', async () => {
    // The places of the test before become free in their time.
    const client = await waitUntil('a place', async () => {
      const next = await open();
      return next.isOpen && next;
    });
    other.needs.logHub.close();
    expect((await client.untilClosed()).code).toBe(1012);
  });
});

test('T69: five hundred clients each get every line, with bounded memory', async () => {
  const crowded = await startApi({ settings: { rateLimits: RATES } });
  const its = await listen(crowded.app, { port: 0, address: '127.0.0.1' });
  const made = await crowded.call('post', '/apps').send({ name: 'web', repo_url: 'acme/web', deploy: false });
  const { id } = made.body as { id: string };
  const before = process.memoryUsage().arrayBuffers;
  const all = upTo(500).map(() => new SocketClient(its.port, { headers: bearer(crowded.token) }));
  await Promise.all(all.map((client) => client.send(subscribe({ app_id: id }))));
  await Promise.all(all.map((client) => client.got('subscribed')));
  for (const n of upTo(20)) {
    await appendLines(crowded.prisma, runtimeStreamId(id), [line(`${n} ${'x'.repeat(1_000)}`)]);
  }
  await waitUntil('each line to reach each client', () => all.every(({ ids }) => ids.length >= 20), {
    timeoutMs: 60_000,
  });
  for (const client of all) expect(client.ids).toEqual(upTo(20));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024);
  for (const client of all) client.cut();
  await its.close(500);
  await crowded.close();
}, 90_000);

describe('with AUTH=none', () => {
  let local: ApiUnderTest;
  let its: Listening;
  beforeAll(async () => {
    local = await startApi({ settings: { auth: 'none' } });
    its = await listen(local.app, { port: 0, address: '127.0.0.1' });
  });
  afterAll(async () => {
    await its?.close(500);
    await local?.close();
  });

  test.each<[string, Record<string, string>, number | null]>([
    ['a program of this host', { host: 'localhost:8080' }, null],
    ['a page of ours', { host: 'localhost:8080', origin: 'http://localhost:8080' }, null],
    ['T51: a page of another host', { host: 'localhost:8080', origin: 'https://evil.example' }, 403],
    ['T53: a name that an attacker’s DNS points here', { host: 'evil.example:8080' }, 403],
    ['what came through a proxy', { host: 'localhost:8080', 'x-forwarded-for': '203.0.113.7' }, 403],
  ])('%s', async (_who, headers, status) => {
    const client = await new SocketClient(its.port, { headers }).answered();
    expect(client.status).toBe(status);
    client.close();
  });
});
