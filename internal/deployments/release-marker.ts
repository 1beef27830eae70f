import type { Db, LogLevel } from '../db/database.ts';
import { appendLines } from '../logs/append-lines.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';

/**
 * One line in the app's own log, among what its containers write, in the transaction that changes the release: who
 * follows the log sees which lines come from before and which from after.
 */
export async function markRelease(
  tx: Db,
  release: { appId: string; deploymentId: string },
  line: { text: string; level?: LogLevel },
): Promise<void> {
  const { text, level = 'deploy' } = line;
  const { deploymentId } = release;
  const stored = [{ source: 'deploy', level, stream: null, text } as const];
  await appendLines(tx, runtimeStreamId(release.appId), stored, { origin: { deploymentId, replica: null } });
}
