import type { Db, Deployment } from '../db/database.ts';
import { appendLines } from '../logs/append-lines.ts';

/**
 * Puts a deployment's state into its own stream of lines, in the transaction that changes it: a reader of the stream
 * sees each change exactly once and in its place among the text.
 */
export async function appendStatus(
  tx: Db,
  row: Pick<Deployment, 'id' | 'status' | 'step' | 'failureCode' | 'failureReason'>,
): Promise<void> {
  const text = JSON.stringify({
    status: row.status,
    step: row.step,
    ...(row.failureCode ? { failure_code: row.failureCode, failure_reason: row.failureReason } : {}),
  });
  await appendLines(tx, row.id, [{ source: 'status', level: 'deploy', stream: null, text }]);
}
