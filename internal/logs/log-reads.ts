import type { Db, LogLevel, LogSource } from '../db/database.ts';

export interface LogLine {
  readonly seq: bigint;
  readonly at: Date;
  readonly source: LogSource;
  readonly stream: string | null;
  readonly level: LogLevel;
  readonly text: string;
}

export interface LineFilter {
  /** Empty: all. */
  readonly levels: readonly LogLevel[];
  /** Part of the text, upper and lower case alike. Empty: all. */
  readonly contains: string;
}

export interface LinePage {
  readonly lines: readonly LogLine[];
  readonly hasMore: boolean;
}

/** The lines after `after` that match, in order, at most `limit`. */
export async function listLines(
  db: Db,
  of: { streamId: string; after: bigint; limit: number } & LineFilter,
): Promise<LinePage> {
  const { streamId, after, limit, levels, contains } = of;
  const lines = await db.logLine.findMany({
    where: {
      streamId,
      seq: { gt: after },
      ...(levels.length > 0 ? { level: { in: [...levels] } } : {}),
      ...(contains === '' ? {} : { text: { contains: escapeLike(contains), mode: 'insensitive' } }),
    },
    orderBy: { seq: 'asc' },
    // One more than asked for tells whether there is a next page.
    take: limit + 1,
    omit: { streamId: true },
  });
  return { lines: lines.slice(0, limit), hasMore: lines.length > limit };
}

/** Lines of one page of a live stream; what a reader holds in memory is this. */
const STREAM_PAGE_LINES = 1000;
const STREAM_PAGE_BYTES = 128 * 1024;

/** The next lines for a live reader: as many as fit into 128 KB of text, at least one where there is one. */
export async function nextLines(db: Db, of: { streamId: string; after: bigint }): Promise<LinePage> {
  const rows = await db.$queryRaw<(LogLine & { last_seq: bigint })[]>`
    with page as (
      select seq, at, source::text, stream, level::text, text,
             sum(octet_length(text)) over (order by seq) - octet_length(text) as bytes_before
      from log_lines where stream_id = ${of.streamId} and seq > ${of.after}
      order by seq limit ${STREAM_PAGE_LINES}::int
    )
    select seq, at, source, stream, level, text, (select max(seq) from page) as last_seq
    from page where bytes_before < ${STREAM_PAGE_BYTES}::int order by seq`;
  const last = rows.at(-1);
  const hasMore = last !== undefined && (rows.length === STREAM_PAGE_LINES || last.seq < last.last_seq);
  return { lines: rows, hasMore };
}

/** LIKE's own characters, so that `100%` finds itself only; Prisma passes them on as they are. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
