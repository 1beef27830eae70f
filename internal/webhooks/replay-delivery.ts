import { randomUUID } from 'node:crypto';
import type { Db, WebhookDelivery, WebhookOutcome } from '../db/database.ts';
import { decideOutcomes } from './decide-outcomes.ts';
import { openPayload, storeDelivery, storeOutcomes } from './delivery-store.ts';
import type { DeployNeeds } from './deploy-push.ts';
import { parsePayload } from './read-delivery.ts';

/**
 * Takes a stored delivery in once more, by the settings of now: a delivery of its own, with a new id, for the apps whose
 * outcomes are given. An older push does not win this way either; deploying its commit, or a rollback, does that.
 * @returns the id of the new one
 */
export async function replayDelivery(
  tx: Db,
  needs: DeployNeeds,
  delivery: WebhookDelivery & { outcomes: readonly WebhookOutcome[] },
): Promise<string> {
  const { target, event, action, repository, ref, commitSha, sender, outcomes } = delivery;
  const text = openPayload(needs.box, delivery);
  const summary = { event, action, repository, ref, commitSha, sender };
  const deliveryId = randomUUID();
  const row = { ...summary, target, deliveryId, replayOf: delivery.id, text };
  const id = await storeDelivery(tx, needs.box, row);
  if (id === null) throw new Error(`a new UUID is in use: ${deliveryId}`);
  const appIds = [...new Set(outcomes.flatMap(({ appId }) => appId ?? []))];
  const repeated = { event, payload: parsePayload(text) };
  await storeOutcomes(tx, id, await decideOutcomes(tx, needs, repeated, appIds));
  return id;
}
