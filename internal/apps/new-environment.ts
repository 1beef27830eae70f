import type { ZodType } from 'zod';
import type { Db, EnvScope } from '../db/database.ts';

interface NewVariable {
  readonly key: string;
  readonly value: string;
  readonly scope?: EnvScope | undefined;
}

/** As a request gives it. */
type GivenEnvironment = NewVariable[] | Record<string, string>;

/** The environment that a new app comes with. Its rules are handed in: apps come before variables. */
export interface NewEnvironment {
  readonly schema: ZodType<GivenEnvironment>;
  /** @throws AppError invalid_input */
  readonly store: (
    tx: Db,
    appId: string,
    given: GivenEnvironment,
  ) => Promise<{ readonly added: readonly string[] }>;
}
