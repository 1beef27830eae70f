import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import Dockerode from 'dockerode';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { FakeGithub, type Repository } from '../support/fake-github.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { watchProcesses } from '../support/process-watch.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(300_000);

/** All of GitHub's API, while Git goes on. */
const API = /^\w+ \/(?:user|app|installation|repos|search)\b/;

describe('a private repository at GitHub', () => {
  let github: FakeGithub;
  let platform: Platform;
  let shop: Repository;
  let busybox: string;
  let app: AppView;

  beforeAll(async () => {
    busybox = await ensureBusyboxImage();
    github = await FakeGithub.start();
    github.addUser('ada');
    shop = await github.addRepository('ada/shop', { files: staticBinaryApp(busybox, 'v1') });
    platform = await startPlatform({
      settings: { ...github.environment(), GIT_PRIVATE_HOSTS: github.host, WATCH_SECONDS: '2' },
    });
  });
  afterAll(async () => {
    await platform?.close();
    await github?.close();
  });

  /** As after the App was installed, and the installation connected. */
  async function connect(): Promise<void> {
    const { id, account } = github.install('ada', { repositories: [shop] });
    const owner = await platform.prisma.user.findFirstOrThrow();
    await platform.prisma.githubInstallation.create({
      data: {
        id: BigInt(id),
        accountId: BigInt(account.id),
        accountLogin: account.login,
        accountType: 'User',
        repositorySelection: 'selected',
        userId: owner.id,
        repositories: {
          create: { repositoryId: BigInt(shop.id), fullName: 'ada/shop', isPrivate: true },
        },
      },
    });
  }

  const statuses = (sha: string) =>
    github
      .statusesOf(shop)
      .filter((status) => status.sha === sha)
      .map(({ state }) => state);
  const deploymentOf = (sha: string) => github.deploymentsOf(shop).find((one) => one.sha === sha);

  test('is not cloned by who has no access, and the failure says what to do', async () => {
    const input = { name: 'shop', repo_url: github.cloneUrl(shop), port: 8080, health_check_path: '/health' };
    app = await platform.api.createApp(input);
    const [first] = await platform.api.deployments(app.id);
    await platform.waitForStatus(first?.id ?? '', 'failed');
    expect(await platform.api.deployment(first?.id ?? '')).toMatchObject({
      failure_code: 'clone_unauthorized',
      failure_reason: expect.stringContaining('no connected GitHub account or installation covers it'),
      failure_advice: expect.stringContaining('Connect GitHub'),
    });
    expect(github.statusesOf(shop)).toEqual([]);
  });

  test('is deployed once an installation covers it, and GitHub is told', async () => {
    await connect();
    const sha = await shop.git.head();
    const deployment = await platform.deploy(app.id);
    expect((await platform.http(`shop.localhost`)).body).toContain('v1');

    await waitUntil('GitHub to be told that it is live', () => statuses(sha).includes('success'));
    expect(statuses(sha)).toEqual(expect.arrayContaining(['pending', 'success']));
    await waitUntil(
      'the Deployment to be a success',
      () => deploymentOf(sha)?.statuses.at(-1)?.state === 'success',
    );
    expect(deploymentOf(sha)).toMatchObject({
      environment: 'shop',
      payload: { berth_deployment: deployment.id },
      statuses: expect.arrayContaining([
        expect.objectContaining({ state: 'in_progress' }),
        expect.objectContaining({ state: 'success', environment_url: app.url }),
      ]),
    });
    expect(github.statusesOf(shop).at(-1)).toMatchObject({
      context: 'berth/shop',
      target_url: expect.stringContaining(deployment.id),
    });
  });

  test('F46: GitHub is down while it is deployed: the release goes live, and the report arrives later', async () => {
    const sha = await shop.git.commit(staticBinaryApp(busybox, 'v2'), 'Second');
    github.fail(API, { kind: 'reset' });
    await platform.deploy(app.id);
    expect((await platform.http('shop.localhost')).body).toContain('v2');
    await waitUntil('a report to have failed', async () => {
      const waiting = await platform.prisma.githubReport.findFirst({
        where: { attempts: { gt: 0 }, doneAt: null },
      });
      return waiting !== null;
    });
    expect(statuses(sha)).toEqual([]);

    github.heal();
    await waitUntil('the reports to arrive', () => statuses(sha).at(-1) === 'success', { timeoutMs: 90_000 });
    await waitUntil(
      'the Deployment to be a success',
      () => deploymentOf(sha)?.statuses.at(-1)?.state === 'success',
      {
        timeoutMs: 90_000,
      },
    );
    // Before them `queued`, unless that was tried before there was a commit.
    const told = deploymentOf(sha)?.statuses.map(({ state }) => state) ?? [];
    expect(told.slice(-2)).toEqual(['in_progress', 'success']);
  });

  test('T09: no token is in an argument, an environment, a line, a row, a file or the image', async () => {
    const [token = ''] = [...github.world.tokens.keys()].filter((text) => text.startsWith('ghs_'));
    const header = Buffer.from(`x-access-token:${token}`).toString('base64');
    const watches = [token, header].map((text) => watchProcesses(text));
    await shop.git.commit(staticBinaryApp(busybox, 'v3'), 'Third');
    const deployment = await platform.deploy(app.id);
    for (const watch of watches) watch.stop();
    expect(watches.flatMap(({ hits }) => hits)).toEqual([]);

    const secrets = [...github.world.tokens.keys()].flatMap((text) => [
      text,
      Buffer.from(`x-access-token:${text}`).toString('base64'),
    ]);
    expect(secrets.length).toBeGreaterThan(2);
    const places = {
      'worker.log': readFileSync(join(platform.dataDir, 'worker.log'), 'utf8'),
      'api.log': readFileSync(join(platform.dataDir, 'api.log'), 'utf8'),
      database: await everyRow(platform),
      image: await imageBytes(deployment.image_id ?? ''),
    };
    expect(places.image).toContain('index.html');
    expect(places.database).toContain(deployment.id);
    const found = Object.entries(places).flatMap(([place, text]) =>
      secrets.filter((secret) => text.includes(secret)).map(() => place),
    );
    expect(found).toEqual([]);
  });

  test('F46: the App is uninstalled: the next one fails with its reason, the live one serves on', async () => {
    github.uninstallAll();
    const { id } = await platform.api.deploy(app.id);
    await platform.waitForStatus(id, 'failed');
    expect(await platform.api.deployment(id)).toMatchObject({ failure_code: 'clone_unauthorized' });
    expect((await platform.http('shop.localhost')).body).toContain('v3');
  });
});

/** All tables as text. */
async function everyRow({ prisma }: Platform): Promise<string> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`;
  const texts = await Promise.all(
    tables.map(({ name }) =>
      prisma.$queryRawUnsafe<{ row: string }[]>(`SELECT t::text AS row FROM "${name}" t`),
    ),
  );
  return texts
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

/** As `docker save` gives them: layers and history. */
async function imageBytes(imageId: string): Promise<string> {
  const stream = await new Dockerode().getImage(imageId).get();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('latin1');
}
