import type { Db, Prisma, PrismaClient } from '../db/database.ts';
import { appendLines, type NewLine } from './append-lines.ts';

/** Lines that others may have put into the stream between our last line and ours. */
const OTHERS = 500;

/**
 * Stores a batch whose first try failed in an unknown way: the answer may have been lost after the commit. The lines
 * are stored unless they stand behind `lastSeq` already, in one piece. Returns the number of the last line; null when the
 * stream has no owner (any more), see `appendLines`.
 *
 * The row lock makes it certain: a first try that is still running inside the server is waited for.
 */
export async function storeBatchOnce(
  prisma: PrismaClient,
  to: { streamId: string; lastSeq: bigint; owner?: Prisma.Sql | undefined },
  batch: readonly NewLine[],
): Promise<bigint | null> {
  const { streamId, owner } = to;
  return prisma.$transaction(async (tx) => {
    if (owner && (await tx.$queryRaw<unknown[]>(owner)).length === 0) return null;
    await tx.$queryRaw`select id from log_streams where id = ${streamId} for update`;
    const stored = await findBatch(tx, to, batch);
    return stored ?? appendLines(tx, streamId, batch);
  });
}

async function findBatch(
  tx: Db,
  to: { streamId: string; lastSeq: bigint },
  batch: readonly NewLine[],
): Promise<bigint | null> {
  const rows = await tx.logLine.findMany({
    where: { streamId: to.streamId, seq: { gt: to.lastSeq } },
    orderBy: { seq: 'asc' },
    take: batch.length + OTHERS,
  });
  for (let start = 0; start + batch.length <= rows.length; start += 1) {
    if (batch.every((line, index) => isSame(line, rows[start + index]))) {
      return rows[start + batch.length - 1]?.seq ?? null;
    }
  }
  return null;
}

function isSame(line: NewLine, row: { source: string; stream: string | null; text: string } | undefined) {
  return row?.text === line.text && row.source === line.source && row.stream === line.stream;
}
