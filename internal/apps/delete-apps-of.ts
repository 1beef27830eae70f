import { recordAudit } from '../audit/record-audit.ts';
import type { Db } from '../db/database.ts';
import type { Call } from '../openapi/operation.ts';
import { markAppsDeleting } from './app-store.ts';

/** For a project that goes: asks for the removal of all its apps, in the transaction that has locked the project. */
export async function deleteAppsOf(
  tx: Db,
  call: Call,
  {
    projectId,
    stopDeployments,
  }: {
    readonly projectId: string;
    readonly stopDeployments: (tx: Db, appIds: readonly string[]) => Promise<void>;
  },
): Promise<void> {
  const appIds = await markAppsDeleting(tx, projectId);
  const detail = { project_id: projectId };
  for (const objectId of appIds) {
    await recordAudit(tx, call, { action: 'app.delete', object: 'app', objectId, detail });
  }
  await stopDeployments(tx, appIds);
}
