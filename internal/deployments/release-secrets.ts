import type { Db } from '../db/database.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { Secret } from '../secrets/secret.ts';
import { openSnapshot, type ReleaseConfig } from './config-snapshot.ts';

/** What of a release's configuration must not stand in any log: the values of its environment, whatever their scope. */
export function secretsOf(config: Pick<ReleaseConfig, 'environment'>): Secret[] {
  return config.environment.map(({ value }) => new Secret(value));
}

/** The same by the id of the deployment; none where it is gone. */
export async function readReleaseSecrets(db: Db, box: SealedBox, deploymentId: string): Promise<Secret[]> {
  const row = await db.deployment.findUnique({
    where: { id: deploymentId },
    select: { configSnapshot: true },
  });
  return row ? secretsOf(openSnapshot(box, deploymentId, row.configSnapshot)) : [];
}
