import type { Db, Deployment, DeploymentTrigger } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { readEnvironment } from '../envvars/env-var-store.ts';
import { AppError } from '../errors/app-error.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { releaseConfigOf, sealSnapshot } from './config-snapshot.ts';
import { enqueue, supersedeWaitingPushes, takeTurn, wishToRun } from './deployment-queue.ts';

export interface DeploymentRequest {
  readonly appId: string;
  readonly trigger: DeploymentTrigger;
  /** Instead of the app's branch. */
  readonly branch?: string | null;
  /** 40 hex digits; without it the branch's head at clone time. */
  readonly commitSha?: string | null;
  /** Built in any case, every step anew. */
  readonly noCache?: boolean;
}

/**
 * The one way in: webhook, button, API and redeploy all end here. The row is committed, with the configuration the app
 * has now, before anything is answered; from then on it will reach a terminal state. Of pushes only the newest waits:
 * while one is built, those between it and the newest are superseded.
 * @throws AppError not_found, app_deleting
 */
export async function requestDeployment(
  prisma: Db,
  request: DeploymentRequest,
  box: SealedBox,
): Promise<Deployment> {
  return prisma.$transaction(async (tx) => {
    const isPush = request.trigger === 'push';
    // Before it is looked at: a deletion or a newer push that is under way is waited for.
    await takeTurn(tx, [request.appId]);
    const app = await tx.app.findUnique({ where: { id: request.appId }, include: { hosts: true } });
    if (!app) throw new AppError('not_found', 'There is no app with this id.');
    if (app.deletingSince)
      throw new AppError('app_deleting', 'The app is being deleted; create it anew afterwards.');
    // Whoever asks for a deployment of a stopped app wants it to run. A push asks for nothing of the kind.
    if (!isPush) await wishToRun(tx, app.id);
    const id = newId();
    const config = releaseConfigOf(
      app,
      app.hosts.map(({ host }) => host),
      await readEnvironment(tx, box, app.id),
    );
    const row = await enqueue(tx, {
      id,
      appId: app.id,
      trigger: request.trigger,
      branch: request.branch ?? app.branch,
      requestedSha: request.commitSha ?? null,
      noCache: request.noCache ?? false,
      configSnapshot: sealSnapshot(box, id, config),
    });
    if (isPush) await supersedeWaitingPushes(tx, row);
    return row;
  });
}
