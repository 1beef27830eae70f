import type { App, Db } from '../db/database.ts';
import { id as idSchema } from '../openapi/schemas.ts';

/** The sealed secret of an app's webhook; null for an app without one as for a text that is no app's id. */
export async function findSealedSecret(db: Db, appId: string): Promise<Uint8Array | null> {
  if (!idSchema.safeParse(appId).success) return null;
  const app = await db.app.findUnique({ where: { id: appId }, select: { webhookSecret: true } });
  return app?.webhookSecret ?? null;
}

/** What an app's own webhook is. */
export type WebhookRow = Pick<App, 'id' | 'repoUrl' | 'webhookSecret' | 'githubHookId'> & {
  readonly lastDeliveryAt: Date | null;
};

/** @throws when there is no such app: look for it by its owner first */
export async function readWebhook(db: Db, appId: string): Promise<WebhookRow> {
  const app = await db.app.findUniqueOrThrow({
    where: { id: appId },
    select: { id: true, repoUrl: true, webhookSecret: true, githubHookId: true },
  });
  const last = await db.webhookOutcome.findFirst({
    where: { appId, delivery: { target: `app:${appId}`, replayOf: null } },
    orderBy: { createdAt: 'desc' },
    select: { createdAt: true },
  });
  return { ...app, lastDeliveryAt: last?.createdAt ?? null };
}

export async function writeSecret(tx: Db, appId: string, sealed: Uint8Array<ArrayBuffer>): Promise<void> {
  await tx.app.update({ where: { id: appId }, data: { webhookSecret: sealed } });
}

export async function writeHook(tx: Db, appId: string, hookId: bigint): Promise<void> {
  await tx.app.update({ where: { id: appId }, data: { githubHookId: hookId } });
}

export async function forgetWebhook(tx: Db, appId: string): Promise<void> {
  await tx.app.update({ where: { id: appId }, data: { webhookSecret: null, githubHookId: null } });
}
