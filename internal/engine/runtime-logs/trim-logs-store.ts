import type { PrismaClient } from '../../db/database.ts';

/** Streams of apps that are too large, or whose oldest line is too old. Their number is that of the apps. */
export async function runtimeLogsBeyond(
  prisma: PrismaClient,
  cap: { maxBytes: number; before: Date; lineBytes: number },
): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM log_streams s
     WHERE s.id LIKE 'app:%' AND s.last_seq > s.trimmed_to
       AND (s.bytes + (s.last_seq - s.trimmed_to) * ${cap.lineBytes}::int > ${cap.maxBytes}::float8
            OR (SELECT l.at FROM log_lines l
                 WHERE l.stream_id = s.id AND l.seq = s.trimmed_to + 1) < ${cap.before})`;
  return rows.map(({ id }) => id);
}

/** Logs of deployments that began before then and have ended, the oldest first; those done already are passed by. */
export async function oldBuildLogs(prisma: PrismaClient, before: Date, limit: number): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    SELECT s.id FROM log_streams s
     WHERE NOT s.expired AND s.id NOT LIKE 'app:%' AND s.created_at < ${before}
       AND NOT EXISTS (SELECT 1 FROM deployments d
                        WHERE d.id = s.id AND d.status IN ('pending', 'building', 'deploying'))
     ORDER BY s.created_at LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

export async function markExpired(prisma: PrismaClient, streamId: string): Promise<void> {
  await prisma.logStream.updateMany({ where: { id: streamId }, data: { expired: true } });
}
