import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { signedIn } from '../../test/support/browser.ts';
import { FakeGithub } from '../../test/support/fake-github.ts';
import { pushPayload } from '../../test/support/github-events.ts';
import { releaseConfig } from '../../test/support/release-config.ts';
import { sendWebhook } from '../../test/support/webhook-sender.ts';
import type { DeploymentStatus } from '../db/database.ts';
import { openSnapshot, sealSnapshot } from '../deployments/config-snapshot.ts';
import { storeEnvironment } from '../envvars/env-var-store.ts';
import { EXAMPLE_ID } from '../quarantine/quarantine-view.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { Secret } from '../secrets/secret.ts';
import { storeGithubToken } from '../users/github-token.ts';
import { sealWebhookSecret } from '../webhooks/webhook-secret.ts';

interface Schema {
  readonly $ref?: string;
  readonly examples?: readonly unknown[];
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly example?: string;
  readonly schema: Schema & { readonly example?: string };
}
interface Entry {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const PROJECT = 'b7mzq4rt2c';
const APP = 'k3v5ahq2xd';
const DEPLOYMENT = 'q6wlnf4j3e';
const DELIVERY = 'd4v7tbq5mz';
const PLAN = 'p5n3ahq2xd';
const USER = 'h5cwq3mz7e';
const EARLIER = 'd7wlnf4j3e';
const TOKEN = 'm3xk7qv5ta';
const INSTALLATION = 957_387n;
const WEBHOOK_SECRET = new Secret('s'.repeat(64));

let github: FakeGithub;
// One test asks every operation.
jest.setTimeout(120_000);

let api: ApiUnderTest;
beforeAll(async () => {
  github = await FakeGithub.start();
  github.addUser('octocat');
  github.addOrganisation('acme', { octocat: 'admin' });
  await github.addRepository('acme/front');
  const { app, ...settings } = github.settings();
  api = await startApi({
    settings: { github: { ...settings, app: app && { ...app, webhookSecret: WEBHOOK_SECRET } } },
  });
});
afterAll(async () => {
  await api?.close();
  await github?.close();
});

/** The project, the app and the deployment that the examples name, and nothing else. */
async function seed(status: DeploymentStatus): Promise<void> {
  const { prisma } = api;
  await prisma.app.deleteMany();
  await prisma.project.deleteMany();
  const owner = await prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  await prisma.buildPlanRequest.deleteMany();
  await prisma.buildPlanRequest.create({
    data: { id: PLAN, userId: owner.id, repoUrl: 'https://github.com/acme/shop' },
  });
  await prisma.project.create({
    data: { id: PROJECT, userId: owner.id, name: 'default', networkName: `${owner.hash}-default` },
  });
  const repoUrl = 'https://github.com/acme/front';
  await prisma.app.create({
    data: {
      id: APP,
      name: 'front',
      projectId: PROJECT,
      repoUrl,
      hosts: { create: { host: 'front.apps.test', kind: 'generated' } },
    },
  });
  await prisma.deployment.create({
    data: {
      id: DEPLOYMENT,
      appId: APP,
      trigger: 'manual',
      status,
      ...(status === 'failed' ? { failureCode: 'exited_early', finishedAt: new Date() } : {}),
      configSnapshot: sealSnapshot(api.needs.box, DEPLOYMENT, releaseConfig({ repoUrl })),
    },
  });
  await storeEnvironment(prisma, api.needs.box, APP, [{ key: 'LOG_LEVEL', value: 'info' }]);
}

/** The secret of the app's webhook, and a delivery that it got. */
async function seedDelivery(): Promise<void> {
  const { prisma, box } = api.needs;
  await prisma.webhookDelivery.deleteMany();
  const webhookSecret = sealWebhookSecret(box, APP, WEBHOOK_SECRET);
  await prisma.app.update({ where: { id: APP }, data: { webhookSecret } });
  await prisma.webhookDelivery.create({
    data: {
      id: DELIVERY,
      target: `app:${APP}`,
      deliveryId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      event: 'push',
      payload: box.seal(JSON.stringify(pushPayload()), sealContext('webhook_deliveries.payload', DELIVERY)),
      outcomes: { create: { id: DELIVERY, appId: APP, outcome: 'deployed', reason: 'push to main' } },
    },
  });
}

const OF_RELEASES = ['rollBackApp', 'restartApp', 'startApp', 'deployApp'];

/** That deployment is the live release, and before it there was another. */
async function seedReleases(operationId: string): Promise<void> {
  const { prisma, box } = { prisma: api.prisma, box: api.needs.box };
  const live = await prisma.deployment.findUniqueOrThrow({ where: { id: DEPLOYMENT } });
  const config = openSnapshot(box, DEPLOYMENT, live.configSnapshot);
  const [liveAt, imageTag] = [new Date(), 'berth/front:x'];
  await prisma.deployment.create({
    data: {
      id: EARLIER,
      appId: APP,
      trigger: 'manual',
      status: 'retired',
      queueSequence: live.queueSequence - 1n,
      imageId: 'sha256:1',
      imageTag,
      liveAt,
      configSnapshot: sealSnapshot(box, EARLIER, config),
    },
  });
  const image = { imageId: 'sha256:2', imageTag, liveAt };
  await prisma.deployment.update({ where: { id: DEPLOYMENT }, data: { status: 'live', ...image } });
  const isStopped = operationId === 'startApp';
  const state = isStopped ? ({ desiredState: 'stopped' } as const) : { liveDeploymentId: DEPLOYMENT };
  await prisma.app.update({ where: { id: APP }, data: state });
}

async function seedQuarantine(): Promise<void> {
  const of = { containerName: 'shop-q6wlnf4j3e', appId: APP, deploymentId: DEPLOYMENT, reason: 'No row.' };
  const data = [{ containerId: EXAMPLE_ID, ...of }];
  await api.prisma.quarantinedContainer.createMany({ data, skipDuplicates: true });
}

/** The owner is an owner of acme at GitHub too, whose repositories the App covers. */
async function seedGithub(): Promise<void> {
  const { prisma, box } = { prisma: api.prisma, box: api.needs.box };
  const { id: userId } = await prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  await storeGithubToken(prisma, box, { userId, token: github.userToken('octocat', null), scopes: [] });
  const { id, account } = github.world.installations[0] ?? github.install('acme');
  const accountOf = { accountId: BigInt(account.id), accountLogin: account.login, accountType: account.type };
  const deployKeyPublic = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 berth-front';
  await prisma.app.update({ where: { id: APP }, data: { deployKeyPublic } });
  await prisma.githubInstallation.deleteMany();
  await prisma.githubInstallation.createMany({
    data: [INSTALLATION, BigInt(id)].map((one) => ({
      id: one,
      ...accountOf,
      repositorySelection: 'all',
      userId,
    })),
  });
}

/** Another user, and a token of ours. */
async function seedAccounts(): Promise<void> {
  const { prisma } = api;
  await prisma.user.deleteMany({ where: { id: USER } });
  await prisma.user.create({ data: { id: USER, hash: 'k4tqzp', name: 'octocat' } });
  const { id: userId } = await prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  const token = { userId, name: 'ci', prefix: 'berth_3fZq9L', tokenHash: 'none' };
  await prisma.apiToken.upsert({ where: { id: TOKEN }, create: { id: TOKEN, ...token }, update: {} });
}

function bodiesOf(entry: Entry, document: Document): readonly unknown[] {
  const schema = entry.requestBody?.content['application/json']?.schema;
  if (!schema) return [undefined];
  const named = schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] : schema;
  return named?.examples ?? [];
}

/** With every example that the document gives for a parameter. */
function urlOf(path: string, parameters: readonly Parameter[]): string {
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: place, required, example, schema } of parameters) {
    const value = example ?? schema.example;
    if (value === undefined && required) throw new Error(`${path}: ${name} has no example`);
    if (value === undefined || place === 'header') continue;
    if (place === 'path') url = url.replace(`{${name}}`, value);
    else query.set(name, value);
  }
  return query.size > 0 ? `${url}?${query.toString()}` : url;
}

/** A WebSocket has an example of its own (docs/api-websocket.md), and nobody comes back who has not been at GitHub. */
const NOT_BY_ITSELF = ['openSocket', 'arriveFromGithub', 'arriveInstalled'];
const BY_SESSION = ['createToken', 'leaveToInstall', 'signOut'];

test('each example request of the document works, and its answer is as described', async () => {
  const document: Document = (await supertest(api.app).get('/openapi.json')).body;
  const answers: [string, number][] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, entry] of Object.entries(item)) {
      if (NOT_BY_ITSELF.includes(entry.operationId)) continue;
      for (const body of bodiesOf(entry, document)) {
        await seed(entry.operationId === 'cancelDeployment' ? 'pending' : 'failed');
        await seedDelivery();
        await seedAccounts();
        await seedGithub();
        await seedQuarantine();
        if (OF_RELEASES.includes(entry.operationId)) await seedReleases(entry.operationId);
        const url = urlOf(path, entry.parameters ?? []);
        // Held against its schema on the way out: an answer that does not fit is a 500.
        // The log of an app never ends; its head does.
        const way = entry.operationId === 'followAppLog' ? 'head' : (method as 'get');
        const answer = await (path.startsWith('/webhooks/')
          ? sendWebhook(api.app, { path: url, secret: WEBHOOK_SECRET.reveal(), payload: body })
          : BY_SESSION.includes(entry.operationId)
            ? (await signedIn(api.app, api.token)).send(way, url, { body: body as object })
            : api.call(way, url).send(body as object | undefined));
        answers.push([`${entry.operationId} ${method} ${url} ${JSON.stringify(body)}`, answer.status]);
      }
    }
  }
  expect(answers.filter(([, status]) => status < 200 || status > 302)).toEqual([]);
  expect(answers.length).toBeGreaterThan(15);
});
