import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import { WORKER_FRESH_SECONDS } from '../deployments/deployment-reads.ts';
import { type Operation, op } from '../openapi/operation.ts';

/** A database that takes longer is as good as down, for whoever asks about health. */
const HEALTH_LIMIT_MS = 2_000;

const healthSchema = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    version: z.string(),
    database: z.enum(['up', 'down']),
    workers: z
      .int()
      .nullable()
      .meta({ description: 'How many have told of themselves lately; null while the database is down.' }),
  })
  .meta({ id: 'Health', examples: [{ status: 'ok', version: '0.1.0', database: 'up', workers: 1 }] });

/** A platform without a worker takes requests and keeps them, so it is well; `workers` tells that nothing moves. */
export function healthRoute({ prisma, version }: { prisma: PrismaClient; version: string }): Operation {
  return op({
    method: 'get',
    path: '/health',
    id: 'health',
    tag: 'platform',
    summary: 'Is the platform able to work?',
    auth: 'none',
    responses: {
      200: { description: 'It is', schema: healthSchema },
      503: { description: 'It is not: the database cannot be reached', schema: healthSchema },
    },
    async handler() {
      const workers = await countWorkersInTime(prisma);
      if (workers !== null) {
        return { status: 200, body: { status: 'ok', version, database: 'up', workers } as const };
      }
      return {
        status: 503,
        headers: { 'Retry-After': '5' },
        body: { status: 'unavailable', version, database: 'down', workers } as const,
      };
    },
  });
}

/** Null when the database does not answer. */
async function countWorkersInTime(prisma: PrismaClient): Promise<number | null> {
  const answered = countWorkers(prisma).catch(() => null);
  const limit = new AbortController();
  const tooLate = delay(HEALTH_LIMIT_MS, null, { signal: limit.signal }).catch(() => null);
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    limit.abort();
  }
}

async function countWorkers(prisma: PrismaClient): Promise<number> {
  const [row] = await prisma.$queryRaw<{ workers: number }[]>`
    SELECT count(*)::int AS workers FROM workers
     WHERE heartbeat_at > now() - make_interval(secs => ${WORKER_FRESH_SECONDS})`;
  return row?.workers ?? 0;
}
