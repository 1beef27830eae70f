import { randomBytes, randomUUID } from 'node:crypto';
import { pushPayload } from '../github-events.ts';
import { signedWebhook } from '../webhook-sender.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

/** One operation: who may, and a request with which they succeed. */
export interface Row {
  /** `session`: a signed-in browser, and no token. `owner`: the owner of the installation, and nobody else. */
  readonly needs: 'nobody' | 'read' | 'deploy' | 'admin' | 'session' | 'owner';
  /** The status that whoever may gets. */
  readonly answers: number;
  /** It is about an object of the tenant, named by these parts of the path: to everybody else it is not there. */
  readonly of?: (mine: Tenant) => Readonly<Record<string, string>>;
  /** Parts of the path that name nobody's object. */
  readonly params?: (mine: Tenant) => Readonly<Record<string, string>>;
  readonly body?: (mine: Tenant) => object;
  /** Bytes with their headers, in the place of a JSON body. */
  readonly raw?: (mine: Tenant, world: World) => { headers: Record<string, string>; body: Buffer };
  /** Brings about the state in which it succeeds. @returns what goes into the query */
  readonly first?: (mine: Tenant, world: World) => Promise<Readonly<Record<string, string>>>;
  /** Of a GET that writes something: what, and why that is right. */
  readonly writes?: string;
}

const app = (mine: Tenant) => ({ id: mine.appId });
const project = (mine: Tenant) => ({ id: mine.projectId });
const live = (mine: Tenant) => ({ id: mine.liveId });
const variable = (mine: Tenant) => ({ id: mine.appId, key: 'SETTING' });
const delivery = (mine: Tenant) => ({ id: mine.deliveryId });
const user = (mine: Tenant) => ({ id: mine.userId });
const nothing = () => ({});
const newName = () => `n${randomBytes(6).toString('hex')}`;
const newApp = () => ({ name: newName(), repo_url: 'acme/shop', deploy: false });

/** Written by hand, so that a change of who may what is seen. A route without a row fails a test. */
export const TABLE: Readonly<Record<string, Row>> = {
  getMe: { needs: 'read', answers: 200 },
  signIn: { needs: 'admin', answers: 200 },
  signOut: { needs: 'session', answers: 204 },
  leaveForGithub: { needs: 'nobody', answers: 302, writes: 'a sign-in that has begun' },
  listSignInMethods: { needs: 'nobody', answers: 200 },
  // Without a sign-in that this browser began.
  arriveFromGithub: { needs: 'nobody', answers: 403 },
  listTokens: { needs: 'read', answers: 200 },
  createToken: { needs: 'session', answers: 201, body: () => ({ name: newName(), scope: 'read' }) },
  deleteToken: { needs: 'admin', answers: 204, of: (mine) => ({ id: mine.spareTokenId }) },
  listUsers: { needs: 'owner', answers: 200 },
  changeUser: { needs: 'owner', answers: 200, of: user, body: () => ({ role: 'owner' }) },
  deleteUser: {
    needs: 'owner',
    answers: 204,
    of: user,
    first: async () => ({ take_projects: 'true' }),
  },

  listProjects: { needs: 'read', answers: 200 },
  createProject: { needs: 'admin', answers: 201, body: () => ({ name: newName() }) },
  getProject: { needs: 'read', answers: 200, of: project },
  changeProject: { needs: 'admin', answers: 200, of: project, body: () => ({ name: newName() }) },
  deleteProject: { needs: 'admin', answers: 202, of: project },

  listApps: { needs: 'read', answers: 200 },
  listAppsOfProject: { needs: 'read', answers: 200, of: project },
  createApp: { needs: 'admin', answers: 201, body: newApp },
  createAppOfProject: { needs: 'admin', answers: 201, of: project, body: newApp },
  getApp: { needs: 'read', answers: 200, of: app },
  changeApp: { needs: 'admin', answers: 200, of: app, body: () => ({ replicas: 2 }) },
  deleteApp: { needs: 'admin', answers: 202, of: app },

  listEnvironment: { needs: 'read', answers: 200, of: app },
  createVariable: { needs: 'admin', answers: 201, of: app, body: () => ({ key: 'OTHER', value: 'x' }) },
  changeVariable: { needs: 'admin', answers: 200, of: variable, body: () => ({ value: 'y' }) },
  deleteVariable: { needs: 'admin', answers: 204, of: variable },
  replaceEnvironment: { needs: 'admin', answers: 200, of: app, body: () => ({ variables: { A: 'b' } }) },
  importEnvironment: { needs: 'admin', answers: 200, of: app, body: () => ({ text: 'A=b' }) },
  exportEnvironment: { needs: 'admin', answers: 200, of: app, writes: 'who has read the values' },

  getDeployKey: { needs: 'read', answers: 200, of: app },
  createDeployKey: { needs: 'admin', answers: 201, of: app, first: forgetDeployKey },
  deleteDeployKey: { needs: 'admin', answers: 204, of: app },

  deployApp: { needs: 'deploy', answers: 202, of: app, body: nothing },
  deployRepository: { needs: 'deploy', answers: 202, body: () => ({ repo: 'acme/shop' }) },
  listDeployments: { needs: 'read', answers: 200 },
  listDeploymentsOfApp: { needs: 'read', answers: 200, of: app },
  listReleases: { needs: 'read', answers: 200, of: app },
  rollBackApp: { needs: 'deploy', answers: 202, of: app, body: nothing },
  restartApp: { needs: 'deploy', answers: 202, of: app },
  startApp: { needs: 'deploy', answers: 202, of: app, first: stop },
  stopApp: { needs: 'deploy', answers: 202, of: app },
  resumeApp: { needs: 'deploy', answers: 200, of: app },
  getDeployment: { needs: 'read', answers: 200, of: live },
  cancelDeployment: { needs: 'deploy', answers: 202, of: (mine) => ({ id: mine.pendingId }) },

  listLogLines: { needs: 'read', answers: 200, of: live },
  followLog: { needs: 'read', answers: 200, of: live },
  downloadLog: { needs: 'read', answers: 200, of: live },
  clearLog: { needs: 'admin', answers: 204, of: (mine) => ({ id: mine.retiredId }) },
  listAppLogLines: { needs: 'read', answers: 200, of: app },
  followAppLog: { needs: 'read', answers: 200, of: app },
  downloadAppLog: { needs: 'read', answers: 200, of: app },
  clearAppLog: { needs: 'admin', answers: 204, of: app },
  openSocket: { needs: 'read', answers: 101 },

  listAuditEvents: { needs: 'read', answers: 200 },

  receiveAppWebhook: {
    needs: 'nobody',
    answers: 202,
    params: (mine) => ({ appId: mine.appId }),
    raw: (mine) => pushFor(mine, mine.webhookSecret),
  },
  receiveGithubAppWebhook: {
    needs: 'nobody',
    answers: 202,
    raw: (mine, { github }) => pushFor(mine, github.world.app.webhookSecret),
  },
  listDeliveries: { needs: 'read', answers: 200, of: app },
  getDelivery: { needs: 'read', answers: 200, of: delivery },
  replayDelivery: { needs: 'deploy', answers: 202, of: delivery },
  getWebhook: { needs: 'read', answers: 200, of: app },
  makeWebhook: { needs: 'admin', answers: 201, of: app, body: () => ({ rotate: true }) },
  removeWebhook: { needs: 'admin', answers: 200, of: app },

  leaveToInstall: { needs: 'session', answers: 302, writes: 'an installation that has begun' },
  arriveInstalled: { needs: 'session', answers: 302, first: leave, writes: 'the installation' },
  listInstallations: { needs: 'read', answers: 200 },
  findInstallations: { needs: 'admin', answers: 200, first: installOnceMore },
  disconnectInstallation: { needs: 'admin', answers: 204, of: (mine) => ({ id: mine.installationId }) },
  listGithubRepositories: { needs: 'read', answers: 200 },
  listGithubBranches: {
    needs: 'read',
    answers: 200,
    of: (mine) => ({ owner: mine.login, repo: 'shop' }),
    first: addRepository,
  },

  askForPlan: { needs: 'deploy', answers: 202, body: () => ({ repo_url: 'acme/shop' }) },
  getPlan: { needs: 'read', answers: 200, of: (mine) => ({ id: mine.planId }) },
  readUsage: { needs: 'read', answers: 200 },
  listCleanUps: { needs: 'owner', answers: 200 },
  listQuarantine: { needs: 'owner', answers: 200 },
  removeQuarantined: {
    needs: 'owner',
    answers: 202,
    of: (mine) => ({ id: containerOf(mine) }),
    first: quarantine,
  },

  health: { needs: 'nobody', answers: 200 },
  reference: { needs: 'nobody', answers: 200 },
  referenceFile: { needs: 'nobody', answers: 200, params: () => ({ file: 'init.js' }) },
  openapi: { needs: 'nobody', answers: 200 },
};

function pushFor(mine: Tenant, secret: string) {
  const payload = pushPayload({
    repository: `${mine.mark}/shop`,
    after: randomBytes(20).toString('hex'),
    more: { installation: { id: Number(mine.installationId) } },
  });
  return signedWebhook({ secret, deliveryId: randomUUID(), payload });
}

/** As a worker leaves an app that was stopped. */
async function stop(mine: Tenant, { api: { prisma } }: World) {
  await prisma.deployment.update({ where: { id: mine.liveId }, data: { status: 'stopped' } });
  await prisma.app.update({
    where: { id: mine.appId },
    data: { desiredState: 'stopped', liveDeploymentId: null },
  });
  return {};
}

async function forgetDeployKey(mine: Tenant, { api: { prisma } }: World) {
  const data = { deployKeyPublic: null, deployKeyPrivate: null };
  await prisma.app.update({ where: { id: mine.appId }, data });
  return {};
}

/** Away to install, from a browser that is signed in. */
async function leave(mine: Tenant, world: World) {
  await installOnceMore(mine, world);
  const answer = await fetch(`http://127.0.0.1:${world.port}/github/install`, {
    headers: { cookie: mine.sessionCookie },
    redirect: 'manual',
  });
  const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? '';
  return { state, installation_id: mine.installationId };
}

/** As one that was installed at GitHub itself. */
async function installOnceMore(mine: Tenant, { api: { prisma } }: World) {
  await prisma.githubInstallation.update({
    where: { id: BigInt(mine.installationId) },
    data: { userId: null },
  });
  return {};
}

async function addRepository(mine: Tenant, { github }: World) {
  await github.addRepository(`${mine.login}/shop`);
  return {};
}

/** An id as Docker gives them, another one for each tenant. */
const containerOf = (mine: Tenant) => mine.mark.replace('mark', '').padEnd(64, '0');

async function quarantine(mine: Tenant, { api: { prisma } }: World) {
  await prisma.quarantinedContainer.create({
    data: {
      containerId: containerOf(mine),
      containerName: mine.mark,
      appId: mine.appId,
      deploymentId: mine.liveId,
      reason: 'no row explains it',
    },
  });
  return {};
}
