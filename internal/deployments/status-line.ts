import type { Db, Deployment } from '../db/database.ts';
import { appendLines } from '../logs/append-lines.ts';
import { queueReport } from './report-outbox.ts';

/** What a status line tells of. */
export type StatusRow = Pick<Deployment, 'id' | 'status' | 'step' | 'failureCode' | 'failureReason'>;

/**
 * Puts a deployment's state into its own stream of lines, in the transaction that changes it: a reader of the stream
 * sees each change exactly once and in its place among the text. GitHub is to hear of it too.
 */
export async function appendStatus(tx: Db, row: StatusRow): Promise<void> {
  const text = JSON.stringify({
    status: row.status,
    step: row.step,
    ...(row.failureCode ? { failure_code: row.failureCode } : {}),
    ...(row.failureReason ? { failure_reason: row.failureReason } : {}),
  });
  await appendLines(tx, row.id, [{ source: 'status', level: 'deploy', stream: null, text }]);
  await queueReport(tx, row);
}
