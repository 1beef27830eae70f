import { type Actor, recordAudit } from '../audit/record-audit.ts';
import type { Db } from '../db/database.ts';
import type { Outcome } from './outcome.ts';
import type { Delivery } from './read-delivery.ts';
import { installationOf } from './summarise-delivery.ts';

/**
 * The audit of what GitHub has brought about here, with nobody signed in. A delivery of which nothing came stands in the
 * list of deliveries only.
 */
export async function recordDelivery(
  tx: Db,
  actor: Actor,
  of: { id: string; delivery: Delivery; outcomes: readonly Outcome[] },
): Promise<void> {
  const { id, delivery, outcomes } = of;
  for (const { appId, deploymentId, outcome } of outcomes) {
    if (deploymentId !== null) {
      const detail = { app_id: appId, trigger: 'push', delivery_id: id };
      const about = { object: 'deployment', objectId: deploymentId } as const;
      await recordAudit(tx, actor, { action: 'deployment.request', ...about, detail });
    } else if (outcome === 'recorded') {
      const objectId = String(installationOf(delivery.payload) ?? '');
      const about = { object: 'installation', objectId } as const;
      const detail = { event: delivery.event, delivery_id: id };
      await recordAudit(tx, actor, { action: 'installation.record', ...about, detail });
    }
  }
}
