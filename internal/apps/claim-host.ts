import type { Db } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { readDeploymentHost } from '../routing/hosts.ts';

/**
 * Gives the app the first host nobody has. Two that ask for the same one at once: the second waits, then gets the next.
 * @throws AppError host_taken
 */
export async function claimHost(tx: Db, appId: string, candidates: readonly string[]): Promise<void> {
  for (const host of candidates) {
    if (await reachesDeployment(tx, host)) continue;
    const { count } = await tx.host.createMany({
      data: [{ host, appId, kind: 'generated' }],
      skipDuplicates: true,
    });
    if (count === 1) return;
  }
  throw new AppError('host_taken', 'Every host name made from this app name is taken; choose another name.', {
    fields: [{ field: '/name', message: 'gives no free host name' }],
  });
}

/** An app called `shop-{id}` would take the own host of that deployment of `shop`, which has no row here (T28). */
async function reachesDeployment(tx: Db, host: string): Promise<boolean> {
  const named = readDeploymentHost(host);
  if (!named) return false;
  const { appName: name, deploymentId: id } = named;
  return (await tx.deployment.count({ where: { id, app: { name } } })) > 0;
}
