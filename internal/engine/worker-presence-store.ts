import type { PrismaClient } from '../db/database.ts';

/** Tells the database that this worker lives; rows of workers silent for an hour go. */
export async function reportWorker(
  prisma: PrismaClient,
  worker: { id: string; hostname: string; pid: number },
): Promise<void> {
  await prisma.$executeRaw`
    INSERT INTO workers (id, hostname, pid) VALUES (${worker.id}, ${worker.hostname}, ${worker.pid})
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`;
  await prisma.$executeRaw`DELETE FROM workers WHERE heartbeat_at < now() - interval '1 hour'`;
}

export async function removeWorker(prisma: PrismaClient, workerId: string): Promise<void> {
  await prisma.worker.deleteMany({ where: { id: workerId } });
}
