import type { App, Db } from '../db/database.ts';
import { takeTurn } from '../deployments/deployment-queue.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { knownPushes } from './delivery-store.ts';
import { type Outcome, withoutDeployment } from './outcome.ts';
import type { Push } from './push.ts';
import { isOlder, moveOf, newerPush } from './push-order.ts';
import { branchOf, isOfBranch, readPush } from './read-push.ts';

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
  const ignored = verdict.deploy ? null : withoutDeployment('ignored', verdict.reason);
  if (ignored && !isOfBranch(verdict)) return ignored;

  const branch = branchOf(push);
  const request = async (commitSha: string) =>
    (await requestDeployment(tx, { appId: app.id, trigger: 'push', branch, commitSha }, box)).id;

  const known = await knownPushes(tx, box, { appId: app.id, ref: push.ref });
  const newer = newerPush(push, known);
  if (newer) {
    const latest = await latestOfPushes(tx, app.id);
    const isOvertaken = latest !== null && isOlder(latest, newer, [...known, moveOf(push)]);
    // Only this push tells that what was deployed last is older than that: so that one comes again.
    const winner = isOvertaken ? await request(newer.after) : newer.deploymentId;
    return ignored ?? withoutDeployment('superseded', `deployment ${winner} is of a newer push`);
  }
  if (ignored) return ignored;

  const same = await underWay(tx, { appId: app.id, branch, commitSha: push.after });
  if (same) return withoutDeployment('duplicate', `deployment ${same} is of this commit already`);
  return { outcome: 'deployed', reason: `push to ${branch}`, deploymentId: await request(push.after) };
}

/** The commit of the last deployment that a push asked for. */
async function latestOfPushes(tx: Db, appId: string): Promise<string | null> {
  const latest = await tx.deployment.findFirst({
    where: { appId, trigger: 'push' },
    orderBy: { queueSequence: 'desc' },
    select: { requestedSha: true },
  });
  return latest?.requestedSha ?? null;
}

/** An app may hear of a push twice: from its own webhook, and from the GitHub App. */
async function underWay(
  tx: Db,
  of: { appId: string; branch: string | null; commitSha: string },
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
