import { z } from 'zod';
import { EnvScope } from '../db/generated/enums.ts';

/** A variable as it comes with a new app. */
export interface NewVariable {
  readonly key: string;
  readonly value: string;
  readonly scope: EnvScope;
}

const key = z
  .string()
  .max(255)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be of letters, digits and _, no digit first')
  .meta({ minLength: 1 });
const value = z.string().max(65_536);

/** Key → value, or a list that can say the scope of each, too. */
export const environment = z
  .union([
    z.record(key, value),
    z
      .array(z.strictObject({ key, value, scope: z.enum(EnvScope).optional() }))
      .refine((list) => new Set(list.map((one) => one.key)).size === list.length, 'has a key twice'),
  ])
  .meta({
    description:
      'Environment variables, as an object of key and value or a list of `key`, `value`, `scope`. Stored before the ' +
      'first deployment is queued, which gets them.',
  });

/** Both forms as one. Without a scope: for the running app alone. */
export function variablesOf(given: z.output<typeof environment> | undefined): NewVariable[] {
  if (given === undefined) return [];
  const list = Array.isArray(given)
    ? given
    : Object.entries(given).map(([name, text]) => ({ key: name, value: text }));
  return list.map((one) => ({ scope: EnvScope.runtime, ...one }));
}
