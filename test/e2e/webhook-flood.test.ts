import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { FakeGithub } from '../support/fake-github.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import {
  type Pushed,
  PushedRepository,
  tell,
  told,
  type WebhookAddress,
} from '../support/github-repository.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(600_000);

const APPS = 20;
const WEBHOOKS = 50;
/** Of each of the two workers: their sum is how many deployments run at a time. */
const WORKER_CONCURRENCY = 1;
const LIMIT = 2 * WORKER_CONCURRENCY;

interface Following {
  readonly app: AppView;
  readonly repository: PushedRepository;
  readonly hook: WebhookAddress;
}

let github: FakeGithub;
let platform: Platform;
let busyboxImage: string;
let following: Following[];

beforeAll(async () => {
  busyboxImage = await ensureBusyboxImage();
  github = await FakeGithub.start();
  github.addUser('ada');
  platform = await startPlatform({
    settings: {
      GITHUB_URL: github.url,
      GIT_PRIVATE_HOSTS: github.host,
      WORKER_CONCURRENCY: String(WORKER_CONCURRENCY),
    },
  });
  platform.addWorker();
  following = [];
  for (let index = 0; index < APPS; index++) following.push(await follow(`app-${index}`));
  await waitUntil('two workers', async () => (await platform.prisma.worker.count()) === 2);
});
afterAll(async () => {
  await platform?.close();
  await github?.close();
});

async function follow(name: string): Promise<Following> {
  const repository = await PushedRepository.create(
    github,
    `ada/${name}`,
    staticBinaryApp(busyboxImage, 'v0'),
  );
  const app = await platform.api.createApp({
    name,
    repo_url: repository.url,
    health_check_path: '/health',
    drain_seconds: 0,
    deploy: false,
  });
  const { body } = await platform.api.send('POST', `/apps/${app.id}/webhook`, {});
  const { url, secret } = body as { url: string; secret: string };
  const { host, pathname: path } = new URL(url);
  return { app, repository, hook: { port: platform.httpPort, host, path, secret } };
}

interface Span {
  readonly appId: string;
  readonly from: number;
  readonly to: number;
}

/** How many of these were going on at the same time, at most. */
function mostAtOnce(spans: readonly Span[]): number {
  return Math.max(
    0,
    ...spans.map(({ from }) => spans.filter((other) => other.from <= from && from < other.to).length),
  );
}

async function spansOfAttempts(): Promise<Span[]> {
  const attempts = await platform.prisma.deploymentAttempt.findMany({
    include: { deployment: { select: { appId: true } } },
  });
  return attempts.map(({ deployment, startedAt, endedAt }) => ({
    appId: deployment.appId,
    from: startedAt.getTime(),
    to: endedAt?.getTime() ?? Number.POSITIVE_INFINITY,
  }));
}

test('A6, F35: of 50 webhooks at once for 20 apps none is lost, two run at a time and never two of one app', async () => {
  // Two or three pushes to each app, in the repository before GitHub tells of any.
  const pushes: { of: Following; pushed: Pushed }[] = [];
  for (let index = 0; index < WEBHOOKS; index++) {
    const of = following[index % APPS];
    if (!of) throw new Error('there are too few apps');
    pushes.push({ of, pushed: await of.repository.push(staticBinaryApp(busyboxImage, `v${index}`)) });
  }
  const answers = await Promise.all(pushes.map(({ of, pushed }) => tell(of.hook, pushed.payload)));

  // Each was taken, and each has a row: it waits with its place and a reason, runs, or has made room for a newer one.
  expect(answers.map(({ status }) => status)).toEqual(pushes.map(() => 202));
  const outcomes = answers.flatMap((answer) => told(answer).outcomes);
  const ids = outcomes.flatMap(({ deployment_id }) => deployment_id ?? []);
  const behind = outcomes.filter(({ outcome }) => outcome === 'superseded').length;
  expect(ids.length + behind).toBe(WEBHOOKS);
  expect(new Set(ids).size).toBe(ids.length);
  const seen = await Promise.all(ids.map((id) => platform.api.deployment(id)));
  const waiting = seen.filter(({ status }) => status === 'pending');
  expect(waiting.length).toBeGreaterThan(APPS / 2);
  for (const deployment of waiting) {
    expect(deployment.queue_position).toBeGreaterThan(0);
    expect(deployment.waiting_for).toMatch(/ahead|next|goes first/);
  }
  expect(seen.filter(({ status }) => status === 'failed' || status === 'cancelled')).toEqual([]);

  await waitUntil(
    'all of them to end',
    async () =>
      (await platform.prisma.deployment.count({
        where: {
          OR: [
            { status: { in: ['pending', 'building', 'deploying'] } },
            { status: 'live', step: { not: null } },
          ],
        },
      })) === 0,
    { timeoutMs: 480_000, intervalMs: 500 },
  );

  // Came they in such an order that the newest had been overtaken, it was queued once more: rows without an answer.
  const rows = await platform.prisma.deployment.findMany({
    select: { id: true, appId: true, status: true, commitSha: true },
  });
  expect(ids.filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
  expect(rows.filter(({ status }) => !['live', 'retired', 'superseded'].includes(status))).toEqual([]);
  for (const { app } of following) {
    const last = pushes.findLast(({ of }) => of.app.id === app.id);
    const live = rows.filter(({ appId, status }) => appId === app.id && status === 'live');
    expect(live.map(({ commitSha }) => commitSha)).toEqual([last?.pushed.after]);
  }

  const spans = await spansOfAttempts();
  expect(mostAtOnce(spans)).toBe(LIMIT);
  for (const { app } of following) expect(mostAtOnce(spans.filter(({ appId }) => appId === app.id))).toBe(1);
  const workers = await platform.prisma.deploymentAttempt.groupBy({ by: ['workerId'] });
  expect(workers).toHaveLength(2);
});
