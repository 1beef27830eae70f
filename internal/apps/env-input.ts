import { z } from 'zod';
import { EnvScope } from '../db/generated/enums.ts';

/** A variable as it comes with a new app. What keys and values may be, the rules of environments say. */
export interface NewVariable {
  readonly key: string;
  readonly value: string;
  readonly scope?: EnvScope | undefined;
}

const value = z.string();

/** Key → value, or a list that can say the scope of each, too. */
export const environment = z
  .union([
    z.record(z.string(), value),
    z.array(z.strictObject({ key: z.string(), value, scope: z.enum(EnvScope).optional() })),
  ])
  .meta({
    description:
      'Environment variables: an object of key and value, or a list of `key`, `value` and `scope`. Stored before the ' +
      'first deployment is queued, which gets them.',
  });

/** Both forms as one. */
export function variablesOf(given: z.output<typeof environment> | undefined): readonly NewVariable[] {
  if (given === undefined) return [];
  if (Array.isArray(given)) return given;
  return Object.entries(given).map(([key, text]) => ({ key, value: text }));
}
