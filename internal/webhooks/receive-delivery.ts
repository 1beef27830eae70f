import type { Actor } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import type { Logger } from '../logger/logger.ts';
import { decideOutcomes } from './decide-outcomes.ts';
import { findTwin, storeDelivery, storeOutcomes, sweepDeliveries } from './delivery-store.ts';
import type { DeployNeeds } from './deploy-push.ts';
import { followersOf } from './followers.ts';
import { type Outcome, withoutDeployment } from './outcome.ts';
import type { RecordInstallation } from './ports.ts';
import type { Delivery } from './read-delivery.ts';
import { recordDelivery } from './record-delivery.ts';
import { summariseDelivery } from './summarise-delivery.ts';

export interface ReceiveNeeds extends DeployNeeds {
  readonly prisma: PrismaClient;
  readonly logger: Logger;
  readonly recordInstallation: RecordInstallation;
}

/** Whose webhook a delivery came to. */
export type Target = { readonly appId: string } | 'github-app';

/** How it stands in its column. */
export function columnOf(target: Target): string {
  return target === 'github-app' ? target : `app:${target.appId}`;
}

export interface Received {
  readonly id: string;
  readonly isNew: boolean;
  readonly outcomes: readonly Outcome[];
}

/** Waiting for a turn included: GitHub waits for ten seconds. */
const LIMIT = { maxWait: 4_000, timeout: 8_000 };

/**
 * A delivery whose signature was right: its row, what comes of it and the deployments are one transaction, so that after
 * the answer all of it is there, and killed before, none (F11). Sent again it changes nothing.
 */
export async function receiveDelivery(
  needs: ReceiveNeeds,
  target: Target,
  delivery: Delivery,
  actor: Actor,
): Promise<Received> {
  const received = await needs.prisma.$transaction(
    (tx) => takeIn(tx, needs, { target, delivery, actor }),
    LIMIT,
  );
  const { event, deliveryId } = delivery;
  needs.logger.info({ deliveryId, event, outcomes: received.outcomes }, 'webhook delivery');
  return received;
}

async function takeIn(
  tx: Db,
  needs: ReceiveNeeds,
  { target, delivery, actor }: { target: Target; delivery: Delivery; actor: Actor },
): Promise<Received> {
  const to = { target: columnOf(target), deliveryId: delivery.deliveryId };
  const row = { ...to, ...summariseDelivery(delivery), replayOf: null, text: delivery.text };
  const id = await storeDelivery(tx, needs.box, row);
  if (id === null) return sentAgain(await findTwin(tx, to));

  const outcomes = await outcomesOf(tx, needs, target, delivery);
  await storeOutcomes(tx, id, outcomes);
  await recordDelivery(tx, actor, { id, delivery, outcomes });
  await sweepDeliveries(tx);
  return { id, isNew: true, outcomes };
}

function sentAgain(id: string): Received {
  const outcome = withoutDeployment('duplicate', 'it has come before');
  return { id, isNew: false, outcomes: [{ appId: null, ...outcome }] };
}

async function outcomesOf(
  tx: Db,
  needs: ReceiveNeeds,
  target: Target,
  delivery: Delivery,
): Promise<Outcome[]> {
  if (target !== 'github-app') return decideOutcomes(tx, needs, delivery, [target.appId]);
  const { event, payload } = delivery;
  if (event === 'installation' || event === 'installation_repositories') {
    await needs.recordInstallation(tx, { event, payload });
    return [{ appId: null, ...withoutDeployment('recorded', 'kept with the installation') }];
  }
  return decideOutcomes(tx, needs, delivery, await followersOf(tx, payload, needs));
}
