import type { Db } from '../db/database.ts';

/**
 * Deletes the lines of a stream. Its numbers go on where they were, so whoever reads it misses and repeats nothing.
 * Only for a stream that nobody writes to any more.
 */
export async function clearLines(db: Db, streamId: string): Promise<number> {
  const { count } = await db.logLine.deleteMany({ where: { streamId } });
  await db.logStream.updateMany({ where: { id: streamId }, data: { bytes: 0 } });
  return count;
}
