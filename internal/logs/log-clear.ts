import type { Db } from '../db/database.ts';

/**
 * Deletes the lines of a stream. Its numbers go on where they were, so whoever reads it misses and repeats nothing.
 * Run it inside a transaction: writers of the stream wait for its end, and what they write then stays.
 */
export async function clearLines(tx: Db, streamId: string): Promise<number> {
  await tx.$queryRaw`select id from log_streams where id = ${streamId} for update`;
  const { count } = await tx.logLine.deleteMany({ where: { streamId } });
  await tx.$executeRaw`update log_streams set bytes = 0, dropped = 0, trimmed_to = last_seq where id = ${streamId}`;
  return count;
}
