import type { Db } from '../db/database.ts';

const MAX_BYTES = 64 * 1024;
/** Enough lines for 64 KB of ordinary ones; the rest of the stream is never read. */
const MAX_LINES = 1_000;

/** The end of a deployment's lines as one text of at most 64 KB, whole lines only; a first line says when some lack. */
export async function readBuildLogs(db: Db, deploymentId: string): Promise<string> {
  const stream = await db.logStream.findUnique({ where: { id: deploymentId } });
  if (!stream) return '';
  // By a range of numbers: with LIMIT alone Postgres sorts the whole stream while it has no statistics of it yet.
  const before = stream.lastSeq - BigInt(MAX_LINES);
  const newestFirst = await db.logLine.findMany({
    where: { streamId: deploymentId, seq: { gt: before }, source: { in: ['build', 'deploy'] } },
    orderBy: { seq: 'desc' },
    select: { text: true },
  });
  const kept: string[] = [];
  let bytes = 0;
  for (const { text } of newestFirst) {
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > MAX_BYTES) break;
    kept.push(`${text}\n`);
  }
  const isCut = kept.length < newestFirst.length || before > 0n;
  return (isCut ? '[earlier lines: see /logs]\n' : '') + kept.toReversed().join('');
}
