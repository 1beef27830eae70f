import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { execInContainer } from '../../internal/dockerrun/exec-in-container.ts';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { FakeGithub } from '../support/fake-github.ts';
import { type RepositoryFiles, staticBinaryApp } from '../support/fixture-apps.ts';
import { PushedRepository, tell, told, type WebhookAddress } from '../support/github-repository.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(180_000);

let github: FakeGithub;
let platform: Platform;
let busyboxImage: string;

beforeAll(async () => {
  busyboxImage = await ensureBusyboxImage();
  github = await FakeGithub.start();
  github.addUser('ada');
  platform = await startPlatform({
    settings: { GITHUB_URL: github.url, GIT_PRIVATE_HOSTS: github.host },
  });
});
afterAll(async () => {
  await platform?.close();
  await github?.close();
});

/** An app with the webhook of its repository, set up by hand, at the address that the world reaches the platform by. */
async function follow(
  name: string,
  more: object = {},
): Promise<{ app: AppView; repository: PushedRepository; hook: WebhookAddress }> {
  const repository = await PushedRepository.create(github, `ada/${name}`, files('v1'));
  const app = await platform.api.createApp({
    name,
    repo_url: repository.url,
    health_check_path: '/health',
    drain_seconds: 0,
    deploy: false,
    ...more,
  });
  const { body } = await platform.api.send('POST', `/apps/${app.id}/webhook`, {});
  const { url, secret } = body as { url: string; secret: string };
  const { host, pathname: path } = new URL(url);
  return { app, repository, hook: { port: platform.httpPort, host, path, secret } };
}

const files = (release: string): RepositoryFiles => staticBinaryApp(busyboxImage, release);
/** By it a step is known: the daemon is shared. */
const held = (release: string) => `${platform.instance} ${release}`;
/** The same, whose build goes on when it is let go. */
function heldFiles(release: string): RepositoryFiles {
  const { Dockerfile = '', ...others } = files(release);
  const step = `RUN : ${held(release)}; until [ -e /dev/shm/go ]; do sleep 0.1; done`;
  return { ...others, Dockerfile: Dockerfile.replace(' AS tool\n', ` AS tool\n${step}\n`) };
}
async function letGo(release: string): Promise<void> {
  const { docker } = platform.docker;
  const step = await waitUntil(
    `the build of ${release} to be held`,
    async () => (await docker.listContainers()).find(({ Command }) => Command.includes(held(release))),
    { timeoutMs: 60_000 },
  );
  await execInContainer(docker.getContainer(step.Id), ['touch', '/dev/shm/go']);
}
const page = async (name: string) => (await platform.http(`${name}.localhost`)).body;

async function deliveries(appId: string): Promise<{ outcome: string; reason: string }[]> {
  const { body } = await platform.api.send('GET', `/apps/${appId}/deliveries`);
  const { items } = body as { items: { outcome: string; reason: string }[] };
  return items.map(({ outcome, reason }) => ({ outcome, reason }));
}

describe('A18: the webhook of an app', () => {
  let app: AppView;
  let repository: PushedRepository;
  let hook: WebhookAddress;
  let count = 1;

  beforeAll(async () => {
    ({ app, repository, hook } = await follow('shop'));
  });
  beforeEach(async () => {
    await platform.api.send('PATCH', `/apps/${app.id}`, { auto_deploy: true, watch_paths: [] });
  });

  test('a push is answered with its deployment, which is there to be seen, and goes live with that commit', async () => {
    const pushed = await repository.push(files('v2'));
    const answer = await tell(hook, pushed.payload);
    expect(answer.status).toBe(202);
    const [outcome] = told(answer).outcomes;
    expect(outcome).toMatchObject({ outcome: 'deployed' });
    const seen = await platform.api.deployment(outcome?.deployment_id ?? '');
    expect(seen).toMatchObject({ trigger: 'push', branch: 'main', requested_sha: pushed.after });

    const live = await platform.waitForStatus(seen.id, 'live');
    expect(live.commit_sha).toBe(pushed.after);
    expect(await page('shop')).toContain('"v2"');
  });

  test('a wrong signature is 401 and deploys nothing; the same delivery twice deploys once', async () => {
    const { payload } = await repository.push(files(`v${++count}`));
    const before = (await platform.api.deployments(app.id)).length;
    const signature = `sha256=${'0'.repeat(64)}`;
    expect((await tell(hook, payload, { signature })).status).toBe(401);
    expect((await tell({ ...hook, secret: 'guessed' }, payload)).status).toBe(401);
    expect((await tell({ ...hook, path: '/webhooks/github/aaaaaaaaaa' }, payload)).status).toBe(401);

    const deliveryId = randomUUID();
    const first = await tell(hook, payload, { deliveryId });
    const second = await tell(hook, payload, { deliveryId });
    expect([first.status, second.status]).toEqual([202, 200]);
    expect(told(second)).toMatchObject({ id: told(first).id, outcomes: [{ outcome: 'duplicate' }] });
    expect((await platform.api.deployments(app.id)).length).toBe(before + 1);
    await platform.waitForStatus(told(first).outcomes[0]?.deployment_id ?? '', 'live');
  });

  test('another branch, [skip deploy], other paths and a switched-off app are ignored with the reason', async () => {
    const before = (await platform.api.deployments(app.id)).length;
    const change = (body: object) => platform.api.send('PATCH', `/apps/${app.id}`, body);
    const tellOf = async (branch: string, message = 'Change') =>
      told(await tell(hook, (await repository.push(files('unseen'), { branch, message })).payload)).outcomes;

    expect(await tellOf('dev')).toMatchObject([{ outcome: 'ignored', reason: 'other branch' }]);
    expect(await tellOf('main', 'Fix a typo [skip deploy]')).toMatchObject([{ reason: 'skip requested' }]);
    await change({ watch_paths: ['docs'] });
    expect(await tellOf('main')).toMatchObject([{ reason: 'no watched path changed' }]);
    await change({ watch_paths: [], auto_deploy: false });
    expect(await tellOf('main')).toMatchObject([{ reason: 'auto-deploy is off' }]);

    expect((await platform.api.deployments(app.id)).length).toBe(before);
    expect((await deliveries(app.id)).slice(0, 4).map(({ reason }) => reason)).toEqual([
      'auto-deploy is off',
      'no watched path changed',
      'skip requested',
      'other branch',
    ]);
    expect(await page('shop')).not.toContain('unseen');
  });

  test('an ignored delivery, replayed when nothing is in its way any more, deploys its commit', async () => {
    await platform.api.send('PATCH', `/apps/${app.id}`, { auto_deploy: false });
    const pushed = await repository.push(files('v-replayed'));
    const { id } = told(await tell(hook, pushed.payload));
    await platform.api.send('PATCH', `/apps/${app.id}`, { auto_deploy: true });
    const { status, body } = await platform.api.send('POST', `/deliveries/${id}/replay`);
    expect(status).toBe(202);
    const [outcome] = (body as { outcomes: { deployment_id: string }[] }).outcomes;
    const live = await platform.waitForStatus(outcome?.deployment_id ?? '', 'live');
    expect(live.commit_sha).toBe(pushed.after);
    expect(await page('shop')).toContain('"v-replayed"');
  });
});

describe('A7: pushes while a deployment is under way', () => {
  test('A finishes, B and C are superseded, D is built: as it was pushed, though the branch has moved on', async () => {
    const { app, repository, hook } = await follow('busy');
    const push = async (release: string, filesOf = files) => {
      const pushed = await repository.push(filesOf(release));
      const id = told(await tell(hook, pushed.payload)).outcomes[0]?.deployment_id ?? '';
      return { ...pushed, id };
    };
    const a = await push('A', heldFiles);
    await platform.waitForStep(a.id, 'building');
    const b = await push('B');
    const manual = await platform.api.deploy(app.id, { commit_sha: b.after });
    const c = await push('C');
    const d = await push('D');
    // Pushed too, but GitHub has not told of it.
    await repository.push(files('E'));

    const statuses = await Promise.all([a, b, manual, c, d].map(({ id }) => platform.api.deployment(id)));
    expect(statuses.map(({ status }) => status)).toEqual([
      'building',
      'superseded',
      'pending',
      'superseded',
      'pending',
    ]);
    expect(statuses[1]?.failure_reason).toContain(c.id);
    expect(statuses[3]?.failure_reason).toContain(d.id);
    const lines = await platform.api.logLines(b.id);
    expect(lines.some(({ text }) => text.includes(c.id))).toBe(true);
    await letGo('A');

    expect((await platform.waitForStatus(a.id, 'retired', 120_000)).commit_sha).toBe(a.after);
    expect((await platform.waitForStatus(manual.id, 'retired', 120_000)).commit_sha).toBe(b.after);
    expect((await platform.waitForStatus(d.id, 'live', 120_000)).commit_sha).toBe(d.after);
    expect(await page('busy')).toContain('"D"');
    const rows = await platform.prisma.deployment.findMany({ where: { appId: app.id } });
    expect(rows.filter(({ commitSha }) => commitSha !== null)).toHaveLength(3);
  });

  test('F33: an older push that arrives after the newer one is live changes nothing', async () => {
    const { app, repository, hook } = await follow('late');
    const older = await repository.push(files('older'));
    const newer = await repository.push(files('newer'));
    const { outcomes } = told(await tell(hook, newer.payload));
    await platform.waitForStatus(outcomes[0]?.deployment_id ?? '', 'live');
    expect(told(await tell(hook, older.payload)).outcomes).toMatchObject([
      { outcome: 'superseded', deployment_id: null },
    ]);
    expect(await page('late')).toContain('"newer"');
    expect(await platform.api.deployments(app.id)).toHaveLength(1);
  });
});
