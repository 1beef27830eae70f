import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import { type AboutApi, openApiDocument } from '../openapi/document.ts';
import { type Operation, op } from '../openapi/operation.ts';

/** A database that takes longer is as good as down, for whoever asks about health. */
const HEALTH_LIMIT_MS = 2_000;

export function healthRoute(prisma: PrismaClient): Operation {
  const schema = z
    .object({ status: z.enum(['ok', 'unavailable']), database: z.enum(['up', 'down']) })
    .meta({ id: 'Health', examples: [{ status: 'ok', database: 'up' }] });
  return op({
    method: 'get',
    path: '/health',
    id: 'health',
    tag: 'platform',
    summary: 'Is the platform able to work?',
    auth: 'none',
    responses: {
      200: { description: 'It is', schema },
      503: { description: 'It is not: the database cannot be reached', schema },
    },
    async handler() {
      if (await answersInTime(prisma))
        return { status: 200, body: { status: 'ok', database: 'up' } as const };
      return {
        status: 503,
        headers: { 'Retry-After': '5' },
        body: { status: 'unavailable', database: 'down' } as const,
      };
    },
  });
}

async function answersInTime(prisma: PrismaClient): Promise<boolean> {
  const answered = prisma.$queryRaw`SELECT 1`.then(
    () => true,
    () => false,
  );
  const limit = new AbortController();
  const tooLate = delay(HEALTH_LIMIT_MS, false, { signal: limit.signal }).catch(() => false);
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    limit.abort();
  }
}

/** The document of all operations, this one included. */
export function documentRoute(others: readonly Operation[], about: AboutApi): Operation {
  let document: ReturnType<typeof openApiDocument> | null = null;
  const route = op({
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    tag: 'platform',
    summary: 'This document',
    auth: 'none',
    responses: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
    async handler() {
      document ??= openApiDocument([...others, route], about);
      return { status: 200, body: { ...document } };
    },
  });
  return route;
}
