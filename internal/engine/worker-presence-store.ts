import type { PrismaClient } from '../db/database.ts';
import type { PlatformWarning } from '../errors/platform-warnings.ts';

export interface WorkerReport {
  readonly id: string;
  readonly hostname: string;
  readonly pid: number;
  readonly warnings: readonly PlatformWarning[];
}

/** Tells the database that this worker lives, and what it warns of; rows of workers silent for an hour go. */
export async function reportWorker(prisma: PrismaClient, worker: WorkerReport): Promise<void> {
  const { id, hostname, pid, warnings } = worker;
  await prisma.$executeRaw`
    INSERT INTO workers (id, hostname, pid, warnings) VALUES (${id}, ${hostname}, ${pid}, ${[...warnings]}::text[])
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), warnings = excluded.warnings`;
  await prisma.$executeRaw`DELETE FROM workers WHERE heartbeat_at < now() - interval '1 hour'`;
}

export async function removeWorker(prisma: PrismaClient, workerId: string): Promise<void> {
  await prisma.worker.deleteMany({ where: { id: workerId } });
}
