import type { PrismaClient } from '../db/database.ts';
import { LOG_APPENDED } from './append-lines.ts';

/** What a line takes in the table and its index beside its text, about. */
export const LINE_OVERHEAD_BYTES = 100;
/** Of one statement: writers of the stream wait that long. */
const BATCH_LINES = 5_000;

export interface TrimRule {
  /** The size the stream is brought down to; its lines count with their text and LINE_OVERHEAD_BYTES each. */
  readonly maxBytes: number;
  /** Lines from before that moment go. */
  readonly before: Date;
  /** How the marker ends: "… were dropped here: the log is kept …". */
  readonly why: string;
}

/**
 * Drops the oldest lines of a stream that the rule does not keep, at most 5000, and leaves one marker in the place of
 * the last of them, which counts all that were dropped since the stream was last cleared. Numbers stay as they are, so
 * whoever reads the stream goes on where it was. Returns how many went; fewer than 5000: nothing more is to do.
 */
export async function trimLines(prisma: PrismaClient, streamId: string, rule: TrimRule): Promise<number> {
  return prisma.$transaction(async (tx) => {
    const [stream] = await tx.$queryRaw<{ size: bigint; trimmedTo: bigint }[]>`
      select bytes + (last_seq - trimmed_to) * ${LINE_OVERHEAD_BYTES}::int as size, trimmed_to as "trimmedTo"
      from log_streams where id = ${streamId} for update`;
    if (!stream) return 0;
    const excess = Number(stream.size) - rule.maxBytes;
    const from = stream.trimmedTo;
    // From the front, up to the first line that stays.
    const [going] = await tx.$queryRaw<{ lastSeq: bigint | null; bytes: bigint }[]>`
      with front as (
        select seq, at, octet_length(text) as bytes,
               sum(octet_length(text) + ${LINE_OVERHEAD_BYTES}::int) over (order by seq) as size
        from log_lines
        where stream_id = ${streamId} and seq > ${from} and seq <= ${from + BigInt(BATCH_LINES)}
      ), staying as (
        select min(seq) as seq from front
        where at >= ${rule.before} and size - bytes - ${LINE_OVERHEAD_BYTES}::int >= ${excess}::float8
      )
      select max(seq) as "lastSeq", coalesce(sum(bytes), 0)::bigint as bytes from front
      where seq < coalesce((select seq from staying), seq + 1)`;
    const lastSeq = going?.lastSeq ?? null;
    if (!going || lastSeq === null) return 0;

    const [{ dropped } = { dropped: 0n }] = await tx.$queryRaw<{ dropped: bigint }[]>`
      update log_streams
         set bytes = bytes - ${going.bytes}, trimmed_to = ${lastSeq}, dropped = dropped + ${lastSeq - from}::bigint
       where id = ${streamId} returning dropped`;
    await tx.$executeRaw`delete from log_lines where stream_id = ${streamId} and seq >= ${from} and seq < ${lastSeq}`;
    const text = `${dropped.toLocaleString('en')} older lines were dropped here: ${rule.why}`;
    await tx.$executeRaw`
      update log_lines
         set source = 'deploy', level = 'warning', stream = null, deployment_id = null, replica = null, text = ${text}
       where stream_id = ${streamId} and seq = ${lastSeq}`;
    await tx.$queryRaw`select pg_notify(${LOG_APPENDED}, ${streamId})::text`;
    return Number(lastSeq - from);
  });
}

export { BATCH_LINES as TRIM_BATCH_LINES };
