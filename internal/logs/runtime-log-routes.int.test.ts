import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { EventReader } from '../../test/support/event-reader.ts';
import { seedApp } from '../../test/support/seed.ts';
import type { App, PrismaClient } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { type Listening, listen } from '../http/listen.ts';
import { appendLines, type LineOrigin, type NewLine } from './append-lines.ts';
import { runtimeStreamId } from './runtime-stream.ts';

const RELEASE = newId();
const AT = new Date('2026-11-21T06:30:54.591Z');

describe('the log of an app', () => {
  let api: ApiUnderTest;
  let prisma: PrismaClient;
  let server: Listening;
  let app: App;
  let foreign: App;
  const readers: EventReader[] = [];

  beforeAll(async () => {
    api = await startApi();
    prisma = api.prisma;
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
  });
  beforeEach(async () => {
    const owner = await prisma.project.findFirstOrThrow({ orderBy: { createdAt: 'asc' } });
    const name = `shop-${newId()}`;
    app = await prisma.app.create({
      data: { id: newId(), projectId: owner.id, name, repoUrl: 'https://x.test/y' },
    });
    foreign ??= await seedApp(prisma);
  });
  afterEach(() => {
    for (const reader of readers.splice(0)) reader.close();
  });
  afterAll(async () => {
    api.needs.logHub.close();
    await server.close(0);
    await api.close();
  });

  const line = (text: string, more: Partial<NewLine> = {}): NewLine => ({
    source: 'runtime',
    level: 'info',
    stream: 'stdout',
    text,
    at: AT,
    ...more,
  });
  const append = (lines: NewLine[], origin: Partial<LineOrigin> = {}, to = app) =>
    appendLines(prisma, runtimeStreamId(to.id), lines, {
      origin: { deploymentId: RELEASE, replica: 1, ...origin },
    });
  const texts = async (query = '') => {
    const { body } = await api.call('get', `/apps/${app.id}/logs${query}`).expect(200);
    return (body as { items: { text: string }[] }).items.map(({ text }) => text);
  };
  const follow = (query = '', headers: Readonly<Record<string, string>> = {}): EventReader => {
    const path = `/api/v1/apps/${app.id}/logs/stream${query}`;
    const reader = new EventReader({
      port: server.port,
      path,
      headers: { authorization: `Bearer ${api.token}`, ...headers },
    });
    readers.push(reader);
    return reader;
  };
  const textsOf = (reader: EventReader) => reader.events.map(({ data }) => (data as { text: string }).text);

  test('says of each line which release and which replica wrote it, and when', async () => {
    await append([line('hello')], { replica: 2 });
    const { body } = await api.call('get', `/services/${app.id}/logs`).expect(200);
    expect(body).toEqual({
      items: [
        {
          seq: 1,
          at: AT.toISOString(),
          source: 'runtime',
          stream: 'stdout',
          level: 'info',
          text: 'hello',
          deployment_id: RELEASE,
          replica: 2,
        },
      ],
      next_cursor: null,
    });
  });

  test.each([
    ['', ['one', 'two', 'three', 'live']],
    ['?limit=1', ['one']],
    ['?after=2', ['three', 'live']],
    ['?level=error', ['two']],
    ['?q=THR', ['three']],
    ['?replica=2', ['two']],
    [`?deployment_id=${RELEASE}`, ['one', 'two', 'live']],
    [`?deployment_id=${RELEASE}&replica=1`, ['one']],
  ])('%s gives %j, as a page and as a stream', async (query, expected) => {
    await append([line('one')]);
    await append([line('two', { level: 'error', stream: 'stderr' })], { replica: 2 });
    await append([line('three')], { deploymentId: newId() });
    await append([line('live', { source: 'deploy', level: 'deploy', stream: null })], { replica: null });
    expect(await texts(query)).toEqual(expected);
    if (query.includes('limit')) return;
    const reader = follow(query);
    await reader.count(expected.length);
    expect(textsOf(reader)).toEqual(expected);
  });

  test('A14: a stream goes on with what comes, without an end, and is resumed where it was', async () => {
    await append([line('one'), line('two')]);
    const first = follow();
    await first.count(2);
    await append([line('three')]);
    await first.count(3);
    first.close();
    await append([line('four')]);
    const second = follow('', { 'last-event-id': first.lastId ?? '' });
    await second.count(1);
    await append([line('five')]);
    await second.count(2);
    expect([...textsOf(first), ...textsOf(second)]).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(second.isClosed).toBe(false);
  });

  test('a reader who has all is kept: more may come', async () => {
    await append([line('one')]);
    const reader = follow('', { 'last-event-id': '1' });
    await reader.opened();
    expect(reader.status).toBe(200);
    await append([line('two')]);
    await reader.count(1);
    expect(textsOf(reader)).toEqual(['two']);
  });

  test('is downloaded as text, each line once, however many there are', async () => {
    for (let batch = 0; batch < 3; batch += 1) {
      await append(Array.from({ length: 1500 }, (_, index) => line(`${batch} ${index} ${'x'.repeat(200)}`)));
    }
    await append([line('live', { source: 'deploy', stream: null })], { replica: null });
    const answer = await api.call('get', `/apps/${app.id}/logs/download`).expect(200);
    expect(answer.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.get('content-disposition')).toBe(`attachment; filename="app-${app.id}.log"`);
    const lines = answer.text.split('\n');
    expect(lines).toHaveLength(4502);
    expect(lines[1]).toBe(`${AT.toISOString()} ${RELEASE}.1 0 1 ${'x'.repeat(200)}`);
    expect(lines[4500]).toBe(`${AT.toISOString()} ${RELEASE} live`);
    expect(new Set(lines).size).toBe(4502);
    await api.call('head', `/apps/${app.id}/logs/download`).expect(200);
    await api.call('head', `/apps/${app.id}/logs/stream`).expect(200);
  });

  test('the log of a deployment is downloaded too, without its statuses', async () => {
    const id = newId();
    await prisma.deployment.create({
      data: { id, appId: app.id, trigger: 'manual', status: 'cancelled', configSnapshot: new Uint8Array() },
    });
    await appendLines(prisma, id, [
      { source: 'build', level: 'info', stream: 'stdout', text: 'Step 1/1', at: AT },
      { source: 'status', level: 'deploy', stream: null, text: '{"status":"failed","step":null}' },
    ]);
    const answer = await api.call('get', `/deployments/${id}/logs/download`).expect(200);
    expect(answer.text).toBe(`${AT.toISOString()} Step 1/1\n`);
  });

  test('is cleared while it is written: a follower goes on, with an audit row', async () => {
    await append([line('one'), line('two')]);
    const reader = follow();
    await reader.count(2);
    await api.call('delete', `/apps/${app.id}/logs`).expect(204);
    expect(await texts()).toEqual([]);
    await append([line('three')]);
    await reader.count(3);
    expect(textsOf(reader)).toEqual(['one', 'two', 'three']);
    expect(await texts()).toEqual(['three']);
    expect(await prisma.auditEvent.count({ where: { action: 'app.clear_logs', objectId: app.id } })).toBe(1);
  });

  test('T41: of somebody else is not there', async () => {
    await append([line('secret')], {}, foreign);
    for (const [method, path] of [
      ['get', ''],
      ['get', '/stream'],
      ['get', '/download'],
      ['delete', ''],
    ] as const) {
      await api.call(method, `/apps/${foreign.id}/logs${path}`).expect(404);
    }
    expect(await prisma.logLine.count({ where: { streamId: runtimeStreamId(foreign.id) } })).toBe(1);
  });
});
