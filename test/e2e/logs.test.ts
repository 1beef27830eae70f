import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureNodeImage } from '../support/base-image.ts';
import { EventReader } from '../support/event-reader.ts';
import { nodeApp, nodeAppWith, type RepositoryFiles } from '../support/fixture-apps.ts';
import { httpRequest } from '../support/http-request.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(180_000);

const BUILD_LINES = 200_000;

interface Line {
  readonly seq: number;
  readonly source: string;
  readonly text: string;
  readonly deployment_id: string | null;
  readonly replica: number | null;
}

describe('logs', () => {
  let platform: Platform;
  let nodeImage: string;
  const readers: EventReader[] = [];
  const programs: ChildProcess[] = [];

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform({ settings: { LEASE_SECONDS: '4' } });
  });
  afterEach(() => {
    for (const reader of readers.splice(0)) reader.close();
    for (const program of programs.splice(0)) program.kill();
  });
  afterAll(() => platform?.close());

  const port = () => Number(platform.settings['PORT']);
  const authorization = () => `Bearer ${readFileSync(join(platform.dataDir, 'admin-token'), 'utf8').trim()}`;
  const follow = (path: string, lastId: string | null = null): EventReader => {
    const resumed = lastId === null ? {} : { 'last-event-id': lastId };
    const headers = { authorization: authorization(), ...resumed };
    const reader = new EventReader({ port: port(), path: `/api/v1${path}/stream`, headers });
    readers.push(reader);
    return reader;
  };
  const linesOf = (...followed: EventReader[]): Line[] =>
    followed
      .flatMap(({ events }) => events)
      .flatMap(({ event, data }) => (event === 'line' ? [data as Line] : []));
  const download = async (path: string): Promise<string[]> => {
    const headers = { authorization: authorization() };
    const answer = await httpRequest({ port: port(), path: `/api/v1${path}/download`, headers });
    expect(answer.status).toBe(200);
    return answer.body.trimEnd().split('\n');
  };
  const numbers = Array.from({ length: BUILD_LINES }, (_, index) => `${index + 1}`);
  const onlyNumbers = (texts: readonly string[]) => texts.filter((text) => /^\d+$/.test(text));

  test('A14: 200,000 lines of one build are stored, streamed, resumed after a cut, and downloaded after a restart', async () => {
    // The time in it: a step that Docker has in its cache says nothing.
    const files = nodeAppWith(nodeImage, { release: 'v1' }, [`RUN : ${Date.now()}; seq 1 ${BUILD_LINES}`]);
    const repository = await platform.createRepository('loud', files);
    const app = await platform.api.createApp({
      name: 'loud',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
    });
    const [deployment] = await platform.api.deployments(app.id);
    const path = `/deployments/${deployment?.id}/logs`;
    const curl = startCurl(path);
    const first = follow(path);
    await first.count(30_000, () => platform.explain(deployment?.id ?? ''));
    first.close();
    // While the build goes on: curl shows lines as they come.
    const seenByCurl = curl.text().length;
    const second = follow(path, first.lastId);
    await second.closed();
    expect(second.events.at(-1)?.event).toBe('end');

    expect(seenByCurl).toBeGreaterThan(0);
    const followed = linesOf(first, second);
    expect(onlyNumbers(followed.map(({ text }) => text))).toEqual(numbers);
    const ids = [...first.events, ...second.events].flatMap(({ id }) => (id === null ? [] : [Number(id)]));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    await waitUntil('curl to end with the log', () => curl.text().includes('event: end'));
    expect(curl.text().match(/^event: line$/gm)).toHaveLength(followed.length);

    await platform.waitForStatus(deployment?.id ?? '', 'live');
    await platform.waitForEndOfDrain(deployment?.id ?? '');
    await platform.apiServer.kill9();
    await platform.apiServer.start();
    const downloaded = (await download(path)).map((line) => line.slice(line.indexOf(' ') + 1));
    expect(onlyNumbers(downloaded)).toEqual(numbers);
  });

  test('A14: a live tail of an app flows on across a deployment, replicas merged, with a marker; dead containers keep their lines', async () => {
    const repository = await platform.createRepository('ticker', tickingApp(nodeImage, 'v1'));
    const { app, deployment } = await platform.createLiveApp({
      name: 'ticker',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
      replicas: 2,
    });
    const path = `/apps/${app.id}/logs`;
    const tail = follow(path);
    await tail.count(50);

    await repository.commit(tickingApp(nodeImage, 'v2'));
    const next = await platform.deploy(app.id);
    await platform.waitForEndOfDrain(next.id);
    const stopped = `Release ${deployment.id} has been stopped`;
    await waitUntil('the end of the old release in the tail', () =>
      linesOf(tail).some(({ text }) => text === stopped),
    );
    const seen = tail.events.length;
    await tail.count(seen + 50);
    expect(tail.isClosed).toBe(false);

    const lines = linesOf(tail);
    expectWholeTicks(lines, deployment.id, 'v1');
    expectWholeTicks(lines, next.id, 'v2');
    const at = (text: string) => lines.findIndex((line) => line.text === text);
    const live = at(`Release ${next.id} is live instead of ${deployment.id}`);
    expect(lines[live]).toMatchObject({ source: 'deploy', deployment_id: next.id, replica: null });
    // Both releases wrote before and after: the tail is one.
    expect(lines.slice(0, live).some(({ deployment_id }) => deployment_id === next.id)).toBe(true);
    expect(lines.slice(live).some(({ deployment_id }) => deployment_id === deployment.id)).toBe(true);
    expect(lines.slice(at(stopped) + 1).some(({ deployment_id }) => deployment_id === deployment.id)).toBe(
      false,
    );

    expect(await platform.containers({ deploymentId: deployment.id })).toEqual([]);
    const kept = (await download(path)).filter((line) => line.includes(` ${deployment.id}.`));
    expect(kept.filter((line) => line.endsWith(' bye v1'))).toHaveLength(2);
  });

  test('F17, A14: lines of a running app are complete though its worker is killed again and again', async () => {
    const repository = await platform.createRepository('steady', tickingApp(nodeImage, 'v1'));
    const { app, deployment } = await platform.createLiveApp({
      name: 'steady',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
    });
    const tail = follow(`/apps/${app.id}/logs`);
    for (let kill = 0; kill < 3; kill += 1) {
      const seen = tail.events.length;
      await tail.count(seen + 100);
      await platform.worker.kill9();
      platform.worker.start();
    }
    const seen = tail.events.length;
    await tail.count(seen + 100);
    expectWholeTicks(linesOf(tail), deployment.id, 'v1');
  });

  test('A2, A14: what a candidate said that never went live is in the log of its app', async () => {
    const repository = await platform.createRepository(
      'brief',
      nodeApp(nodeImage, { release: 'v1', exitCode: 3 }),
    );
    const app = await platform.api.createApp({ name: 'brief', repo_url: repository.url, port: 3000 });
    const [deployment] = await platform.api.deployments(app.id);
    await platform.waitForStatus(deployment?.id ?? '', 'failed');
    const lines = await download(`/apps/${app.id}/logs`);
    expect(lines.filter((line) => line.endsWith('giving up with code 3'))).toHaveLength(1);
  });

  /** As a person follows a log; argv holds no token. */
  function startCurl(path: string): { text: () => string } {
    const url = `http://127.0.0.1:${port()}/api/v1${path}/stream`;
    const child = spawn('curl', ['-sN', '-H', '@-', url], { stdio: ['pipe', 'pipe', 'ignore'] });
    programs.push(child);
    child.stdin.end(`authorization: ${authorization()}\n`);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    return { text: () => Buffer.concat(chunks).toString() };
  }
});

/** Of each replica every tick once and in order, from the first. */
function expectWholeTicks(lines: readonly Line[], deploymentId: string, release: string): void {
  const own = lines.filter((line) => line.deployment_id === deploymentId && line.source === 'runtime');
  const replicas = new Set(own.map(({ replica }) => replica));
  expect(replicas.size).toBeGreaterThan(0);
  for (const replica of replicas) {
    const ticks = own
      .filter((line) => line.replica === replica)
      .flatMap(({ text }) => /^tick \S+ (\d+)$/.exec(text)?.[1] ?? []);
    expect(ticks).toEqual(ticks.map((_, index) => String(index + 1)));
    expect(ticks.length).toBeGreaterThan(10);
  }
  expect(own.every(({ text }) => text.includes(release))).toBe(true);
}

/** Says every 20 ms which release it is and how often it has said so, and goodbye on SIGTERM. */
function tickingApp(image: string, release: string): RepositoryFiles {
  return {
    Dockerfile: `FROM ${image}\nWORKDIR /app\nCOPY . .\nCMD ["node", "server.mjs"]\n`,
    'server.mjs': `import { createServer } from 'node:http';
let count = 0;
setInterval(() => console.log('tick ${release}', ++count), 20);
process.on('SIGTERM', () => {
  console.log('bye ${release}');
  process.exit(0);
});
createServer((request, response) => response.end('ok')).listen(process.env.PORT);
`,
  };
}
