import type { Db } from '../db/database.ts';
import { type DeployNeeds, deployPush } from './deploy-push.ts';
import { type Outcome, withoutDeployment } from './outcome.ts';
import { parsePush } from './push.ts';
import type { Delivery } from './read-delivery.ts';

/** What comes of a delivery for these apps; when there are none, one outcome all the same. */
export async function decideOutcomes(
  tx: Db,
  needs: DeployNeeds,
  { event, payload }: Pick<Delivery, 'event' | 'payload'>,
  appIds: readonly string[],
): Promise<Outcome[]> {
  const forAll = (outcome: Omit<Outcome, 'appId'>): Outcome[] =>
    (appIds.length === 0 ? [null] : appIds).map((appId) => ({ appId, ...outcome }));

  if (event === 'push') {
    const push = parsePush(payload);
    if (appIds.length > 0) return deployPush(tx, push, appIds, needs);
    return forAll(withoutDeployment('ignored', 'no app follows this repository'));
  }
  if (event === 'ping') return forAll(withoutDeployment('recorded', 'ping'));
  // From forks or not: other code than that of the branch would be built and run with the secrets of the app.
  if (event === 'pull_request') {
    return forAll(withoutDeployment('recorded', 'pull requests are not deployed'));
  }
  return forAll(withoutDeployment('ignored', 'event not used'));
}
