import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import { WORKER_FRESH_SECONDS } from '../deployments/deployment-reads.ts';
import { PLATFORM_WARNING_CODES, type PlatformWarning } from '../errors/platform-warnings.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { judgeHealth } from './judge-health.ts';

/** A database that takes longer is as good as down, for whoever asks about health. */
const HEALTH_LIMIT_MS = 2_000;

const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded']).meta({
      description: '`degraded`: it works, but its operator should mend what `warnings` names.',
    }),
    version: z.string(),
    database: z.literal('up'),
    workers: z.int().meta({ description: 'How many have told of themselves lately.' }),
    warnings: z.array(z.enum(PLATFORM_WARNING_CODES)).meta({
      description:
        'What these workers warn of, sorted; empty when `ok`. `engine_outdated`: Docker Engine, and `runc_outdated`: runc is older than it should be. The log of the worker says which version, and what to do.',
    }),
  })
  .meta({
    id: 'Health',
    examples: [
      { status: 'ok', version: '0.1.0', database: 'up', workers: 1, warnings: [] },
      { status: 'degraded', version: '0.1.0', database: 'up', workers: 1, warnings: ['runc_outdated'] },
    ],
  });

const unavailableSchema = z
  .object({
    status: z.literal('unavailable'),
    version: z.string(),
    database: z.literal('down'),
    workers: z.null(),
  })
  .meta({
    id: 'Unavailable',
    examples: [{ status: 'unavailable', version: '0.1.0', database: 'down', workers: null }],
  });

/** Open to everybody, so it names codes and no versions of what it warns of. */
export function healthRoute({ prisma, version }: { prisma: PrismaClient; version: string }): Operation {
  return op({
    method: 'get',
    path: '/health',
    id: 'health',
    tag: 'platform',
    summary: 'Is the platform able to work?',
    auth: 'none',
    responses: {
      200: { description: 'It is, even where it is `degraded`', schema: healthSchema },
      503: { description: 'It is not: the database cannot be reached', schema: unavailableSchema },
    },
    async handler() {
      const reports = await readReportsInTime(prisma);
      if (reports !== null) {
        return { status: 200, body: { version, database: 'up', ...judgeHealth(reports) } as const };
      }
      return {
        status: 503,
        headers: { 'Retry-After': '5' },
        body: { status: 'unavailable', version, database: 'down', workers: null } as const,
      };
    },
  });
}

interface Report {
  readonly warnings: readonly PlatformWarning[];
}

/** Null when the database does not answer. */
async function readReportsInTime(prisma: PrismaClient): Promise<readonly Report[] | null> {
  const answered = readFreshReports(prisma).catch(() => null);
  const limit = new AbortController();
  const tooLate = delay(HEALTH_LIMIT_MS, null, { signal: limit.signal }).catch(() => null);
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    limit.abort();
  }
}

function readFreshReports(prisma: PrismaClient): Promise<Report[]> {
  return prisma.$queryRaw<Report[]>`
    SELECT warnings FROM workers
     WHERE heartbeat_at > now() - make_interval(secs => ${WORKER_FRESH_SECONDS})`;
}
