import type { Db } from '../db/database.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { openSnapshot, type ReleaseConfig } from './config-snapshot.ts';

/** What the live release of an app runs with, and was built with; null: there is none. */
export async function readLiveEnvironment(
  db: Db,
  box: SealedBox,
  appId: string,
): Promise<ReleaseConfig['environment'] | null> {
  const live = await db.deployment.findFirst({
    where: { liveFor: { id: appId } },
    select: { id: true, configSnapshot: true },
  });
  return live && openSnapshot(box, live.id, live.configSnapshot).environment;
}
