import type { Db, LogCursor, PrismaClient } from '../db/database.ts';
import { appendLines, type LineOrigin, type NewLine } from './append-lines.ts';
import { runtimeStreamId } from './runtime-stream.ts';

export type { LogCursor };

/** Up to where the output of a container is stored: per stream, the last time and how many pieces had it. */
export type CursorPlace = Pick<LogCursor, 'stdoutNs' | 'stdoutCount' | 'stderrNs' | 'stderrCount'>;

/** The cursor of a container, made when there is none. Null: its app is gone, and nothing of it is kept. */
export async function openCursor(
  db: Db,
  container: { containerId: string; appId: string },
): Promise<LogCursor | null> {
  const { containerId, appId } = container;
  // The app is locked against deletion by the insert, and missing when it was faster.
  await db.$executeRaw`
    insert into log_cursors (container_id, app_id) select ${containerId}, id from services where id = ${appId}
    on conflict (container_id) do nothing`;
  return db.logCursor.findUnique({ where: { containerId } });
}

/**
 * Stores lines of a container and moves its cursor, together or not at all. False: another reader was faster, nothing is
 * stored, and the cursor must be opened again. Rejects when the outcome is not known; opening the cursor again tells.
 */
export async function storeAndMove(
  prisma: PrismaClient,
  cursor: LogCursor,
  to: { place: CursorPlace; lines: readonly NewLine[]; origin: LineOrigin },
): Promise<boolean> {
  const { stdoutNs, stdoutCount, stderrNs, stderrCount } = to.place;
  return prisma.$transaction(async (tx) => {
    // The cursor first and the stream last, like whoever deletes an app: no deadlock.
    const moved = await tx.$executeRaw`
      update log_cursors
         set stdout_ns = ${stdoutNs}, stdout_count = ${stdoutCount}, stderr_ns = ${stderrNs},
             stderr_count = ${stderrCount}, version = version + 1, updated_at = now()
       where container_id = ${cursor.containerId} and version = ${cursor.version}`;
    if (moved === 0) return false;
    await appendLines(tx, runtimeStreamId(cursor.appId), to.lines, { origin: to.origin });
    return true;
  });
}

/** Forgets cursors of containers that are gone and have not been read for an hour. */
export async function dropCursorsExcept(db: Db, containerIds: readonly string[]): Promise<void> {
  await db.$executeRaw`
    delete from log_cursors
     where updated_at < now() - interval '1 hour' and container_id <> all(${[...containerIds]}::text[])`;
}
