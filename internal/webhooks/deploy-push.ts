import type { App, Db } from '../db/database.ts';
import { takeTurn } from '../deployments/deployment-queue.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { knownPushes } from './delivery-store.ts';
import { type Outcome, withoutDeployment } from './outcome.ts';
import type { Push } from './push.ts';
import { newerDeployment } from './push-order.ts';
import { readPush } from './read-push.ts';

export interface DeployNeeds {
  readonly box: SealedBox;
  readonly githubUrl: string;
}

/** What a push means for each of these apps, deployments included. They take their turns until the transaction ends. */
export async function deployPush(
  tx: Db,
  push: Push,
  appIds: readonly string[],
  needs: DeployNeeds,
): Promise<Outcome[]> {
  await takeTurn(tx, appIds);
  const apps = await tx.app.findMany({ where: { id: { in: [...appIds] } }, orderBy: { id: 'asc' } });
  const outcomes: Outcome[] = [];
  for (const app of apps) outcomes.push({ appId: app.id, ...(await deployOne(tx, push, app, needs)) });
  return outcomes;
}

async function deployOne(
  tx: Db,
  push: Push,
  app: App,
  { box, githubUrl }: DeployNeeds,
): Promise<Omit<Outcome, 'appId'>> {
  const verdict = readPush(push, app, githubUrl);
  if (!verdict.deploy) return withoutDeployment('ignored', verdict.reason);

  const { branch, commitSha } = verdict;
  const same = await underWay(tx, { appId: app.id, branch, commitSha });
  if (same) return withoutDeployment('duplicate', `deployment ${same} is of this commit already`);

  const newer = newerDeployment(push, await knownPushes(tx, box, { appId: app.id, ref: push.ref }));
  if (newer) return withoutDeployment('superseded', `deployment ${newer} is of a newer push`);

  const asked = { appId: app.id, trigger: 'push', branch, commitSha } as const;
  const { id } = await requestDeployment(tx, asked, box);
  return { outcome: 'deployed', reason: `push to ${branch}`, deploymentId: id };
}

/** An app may hear of a push twice: from its own webhook, and from the GitHub App. */
async function underWay(
  tx: Db,
  of: { appId: string; branch: string; commitSha: string },
): Promise<string | null> {
  const newest = await tx.deployment.findFirst({
    where: { appId: of.appId },
    orderBy: { queueSequence: 'desc' },
    select: { id: true, trigger: true, status: true, branch: true, requestedSha: true },
  });
  const isSame =
    newest?.trigger === 'push' && newest.branch === of.branch && newest.requestedSha === of.commitSha;
  const isOpen = newest !== null && ['pending', 'building', 'deploying', 'live'].includes(newest.status);
  return isSame && isOpen ? newest.id : null;
}
