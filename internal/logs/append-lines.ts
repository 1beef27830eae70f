import { type Db, type LogLevel, type LogSource, Prisma } from '../db/database.ts';

/** A line before it has its number and its time. `stream` is null for lines of our own. */
export interface NewLine {
  readonly source: LogSource;
  readonly level: LogLevel;
  readonly stream: 'stdout' | 'stderr' | null;
  readonly text: string;
  /** When it was written, where that is known better than by the time of storing. */
  readonly at?: Date;
}

/** In the stream of an app: the release a line is about, and which of its containers wrote it. */
export interface LineOrigin {
  readonly deploymentId: string;
  readonly replica: number | null;
}

export interface AppendOptions {
  readonly origin?: LineOrigin;
  /**
   * A query for the row the stream belongs to, which locks it; nothing is stored when it finds none. So whoever comes
   * after the end of what the lines are about changes nothing.
   */
  readonly owner?: Prisma.Sql | undefined;
}

/** The channel that says "this stream has grown"; the payload is the stream's id. */
export const LOG_APPENDED = 'log_appended';

/**
 * Stores lines at the end of a stream (made if missing) and tells the readers when the transaction commits.
 * Returns the number of the last line now in the stream. Null: nothing was done, for there was no line, or no owner.
 *
 * One statement: its upsert holds the stream's row until the commit, so two writers take turns and a reader never
 * sees number n + 1 before n. Inside a longer transaction that lock is held just as long: append last. An owner is
 * locked before its stream, as by whoever changes or deletes it: no deadlock.
 * The text is stored as given: what comes from a program goes through LogWriter, which sanitises and masks.
 */
export async function appendLines(
  db: Db,
  streamId: string,
  lines: readonly NewLine[],
  { origin, owner = Prisma.sql`select 1` }: AppendOptions = {},
): Promise<bigint | null> {
  if (lines.length === 0) return null;
  const count = lines.length;
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line.text), 0);
  const sources = lines.map((line) => line.source);
  const levels = lines.map((line) => line.level);
  // Prisma takes no null inside an array parameter.
  const streams = lines.map((line) => line.stream ?? '');
  const times = lines.map((line) => line.at?.getTime() ?? 0);
  const texts = lines.map((line) => line.text);
  // clock_timestamp(), not now(): the time of a line must not run against its number. pg_notify() returns void, which
  // Prisma cannot read.
  const [row] = await db.$queryRaw<{ last_seq: bigint }[]>`
    with owner as (${owner}), stream as (
      insert into log_streams (id, last_seq, bytes)
      select ${streamId}::text, ${count}::int, ${bytes}::int from owner
      on conflict (id) do update
        set last_seq = log_streams.last_seq + excluded.last_seq, bytes = log_streams.bytes + excluded.bytes
      returning last_seq
    ), inserted as (
      insert into log_lines (stream_id, seq, at, source, level, stream, text, deployment_id, replica)
      select ${streamId}, stream.last_seq - ${count}::int + line.position,
             coalesce(to_timestamp(nullif(line.at, 0) / 1000), clock_timestamp()),
             line.source::log_source, line.level::log_level, nullif(line.stream, ''), line.text,
             ${origin?.deploymentId ?? null}::text, ${origin?.replica ?? null}::int
      from stream,
           unnest(${sources}::text[], ${levels}::text[], ${streams}::text[], ${texts}::text[], ${times}::float8[])
             with ordinality as line (source, level, stream, text, at, position)
    )
    select last_seq, pg_notify(${LOG_APPENDED}, ${streamId})::text from stream`;
  return row?.last_seq ?? null;
}
