import { z } from 'zod';
import type { LogLevel } from '../db/database.ts';
import { id, someOf } from '../openapi/schemas.ts';
import type { LineFilter } from './log-reads.ts';
import { LOG_LEVELS } from './log-view.ts';

export const DEFAULT_LINES = 1000;
const MAX_LINES = 2000;

export const sequence = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the seq of a line')
  .transform(BigInt);

export const filterQuery = z.strictObject({
  after: sequence.optional().meta({ type: 'integer', description: 'Only lines with a higher `seq`.' }),
  level: someOf(LOG_LEVELS, 'One or more, with commas between.'),
  q: z.string().max(200).optional().meta({ description: 'Part of the text, upper and lower case alike.' }),
});

/** How many lines a page has. */
export const pageSize = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_LINES))
    .optional()
    .meta({ type: 'integer', minimum: 1, maximum: MAX_LINES, default: DEFAULT_LINES }),
};

/** Of an app's log: whose lines. */
export const originQuery = {
  deployment_id: id.optional().meta({ description: 'Only lines of this release.' }),
  replica: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be the number of a replica, from 1')
    .transform(Number)
    .optional()
    .meta({ type: 'integer', minimum: 1, description: 'Only lines of this one of its containers.' }),
};

export function filterOf(query: {
  level?: LogLevel[] | undefined;
  q?: string | undefined;
  deployment_id?: string | undefined;
  replica?: number | undefined;
}): LineFilter {
  return {
    levels: query.level ?? [],
    contains: query.q ?? '',
    deploymentId: query.deployment_id ?? null,
    replica: query.replica ?? null,
  };
}
