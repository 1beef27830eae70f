import type { Db } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import type { Outcome, OutcomeKind } from './outcome.ts';
import { parsePush } from './push.ts';
import { type KnownPush, moveOf } from './push-order.ts';
import { parsePayload } from './read-delivery.ts';
import type { DeliverySummary } from './summarise-delivery.ts';

export interface NewDelivery extends DeliverySummary {
  readonly target: string;
  readonly deliveryId: string;
  readonly replayOf: string | null;
  readonly text: string;
}

/**
 * The row of a new delivery, or null when GitHub has sent it before. The unique index decides: of several at once one is
 * stored, and the others wait here until it is committed (F32).
 */
export async function storeDelivery(tx: Db, box: SealedBox, delivery: NewDelivery): Promise<string | null> {
  const { text, ...columns } = delivery;
  const id = newId();
  const payload = box.seal(text, sealContext('webhook_deliveries.payload', id));
  const { count } = await tx.webhookDelivery.createMany({
    data: [{ id, ...columns, payload }],
    skipDuplicates: true,
  });
  return count === 0 ? null : id;
}

export async function storeOutcomes(tx: Db, deliveryId: string, outcomes: readonly Outcome[]): Promise<void> {
  await tx.webhookOutcome.createMany({
    data: outcomes.map((outcome) => ({ id: newId(), deliveryId, ...outcome })),
  });
}

/** The one that came first. */
export async function findTwin(tx: Db, of: { target: string; deliveryId: string }): Promise<string> {
  const { id } = await tx.webhookDelivery.findUniqueOrThrow({
    where: { target_deliveryId: of },
    select: { id: true },
  });
  return id;
}

const KEPT_DAYS = 30;
/** A row more or less is no hindrance, so a few at a time are enough. */
const SWEPT_AT_ONCE = 100;

export async function sweepDeliveries(tx: Db): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM webhook_deliveries WHERE id IN
      (SELECT id FROM webhook_deliveries WHERE received_at < now() - make_interval(days => ${KEPT_DAYS})
        ORDER BY received_at LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`;
}

export function openPayload(box: SealedBox, delivery: { id: string; payload: Uint8Array }): string {
  return box.open(delivery.payload, sealContext('webhook_deliveries.payload', delivery.id));
}

/** So many pushes back an order is kept; what is larger brings hundreds of commits and stays shut. */
const KNOWN_PUSHES = 20;
const LARGEST_OPENED = 256 * 1024;

/** The pushes of this branch that have come for this app, in their order. */
export async function knownPushes(
  tx: Db,
  box: SealedBox,
  of: { appId: string; ref: string },
): Promise<KnownPush[]> {
  const rows = await tx.$queryRaw<{ id: string; payload: Uint8Array; deploymentId: string | null }[]>`
    SELECT d.id, d.payload, o.deployment_id AS "deploymentId"
      FROM webhook_outcomes o JOIN webhook_deliveries d ON d.id = o.delivery_id
     WHERE o.app_id = ${of.appId} AND d.event = 'push' AND d.ref = ${of.ref}
       AND octet_length(d.payload) <= ${LARGEST_OPENED}
     ORDER BY o.created_at DESC, o.id LIMIT ${KNOWN_PUSHES}`;
  return rows.toReversed().map((row) => {
    const push = parsePush(parsePayload(openPayload(box, row)));
    return { ...moveOf(push), deploymentId: row.deploymentId };
  });
}

const WITH_OUTCOMES = (userId: string) =>
  ({
    where: { app: { project: { userId } } },
    orderBy: { appId: 'asc' },
  }) as const;

/** A delivery that concerns an app of this user, with what came of it for the user's apps. Null: there is none. */
export function findDelivery(db: Db, userId: string, id: string) {
  return db.webhookDelivery.findFirst({
    where: { id, outcomes: { some: { app: { project: { userId } } } } },
    include: { outcomes: WITH_OUTCOMES(userId) },
  });
}

/** Outcomes of an app with their deliveries, newest first; the payloads stay shut. */
export function listOutcomes(
  db: Db,
  of: {
    appId: string;
    outcome: readonly OutcomeKind[] | undefined;
    event: string | undefined;
    page: { where: object; orderBy: object[] };
    limit: number;
  },
) {
  return db.webhookOutcome.findMany({
    where: {
      appId: of.appId,
      ...of.page.where,
      ...(of.outcome && { outcome: { in: [...of.outcome] } }),
      ...(of.event !== undefined && { delivery: { event: of.event } }),
    },
    include: { delivery: { omit: { payload: true } } },
    orderBy: of.page.orderBy,
    take: of.limit,
  });
}
