import type { EnvScope } from '../db/database.ts';
import type { FieldProblem } from '../errors/app-error.ts';

/** One environment variable of an app, its value in clear. */
export interface EnvVariable {
  readonly key: string;
  readonly value: string;
  readonly scope: EnvScope;
}

/** As someone gives it: without a scope a variable keeps the one it has, and a new one is for run time. */
export interface GivenVariable {
  readonly key: string;
  readonly value: string;
  readonly scope?: EnvScope | undefined;
}

export const NEW_SCOPE: EnvScope = 'runtime';

export const KEY = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
export const MAX_VALUE_BYTES = 32 * 1024;
export const MAX_TOTAL_BYTES = 100 * 1024;
export const MAX_VARIABLES = 200;

/**
 * Names that mean something to Docker's builders beside being an argument: proxies reach every step, BUILDKIT_SYNTAX
 * chooses the program that reads the Dockerfile, and TARGET… and BUILD… may stand in an image's name after FROM (T22).
 */
const BUILDER_NAME =
  /^(?:(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY|BUILDKIT_.*|(?:TARGET|BUILD)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$/i;

/** Whether the variable goes to the containers of the app. */
export function isForRuntime({ scope }: Pick<EnvVariable, 'scope'>): boolean {
  return scope !== 'build';
}

/** Whether the variable goes to builds, as an argument that the image's history shows. */
export function isForBuild({ scope }: Pick<EnvVariable, 'scope'>): boolean {
  return scope !== 'runtime';
}

/** Whether a build argument may have that name. */
export function mayBeBuildArgument(key: string): boolean {
  return !BUILDER_NAME.test(key);
}

/** By code units: the same order everywhere, whatever the database's collation is. */
export function byKey(one: { readonly key: string }, other: { readonly key: string }): number {
  return one.key < other.key ? -1 : Number(one.key > other.key);
}

/** What is wrong with the key; null: nothing. */
export function problemOfKey(key: string): string | null {
  return KEY.test(key) ? null : 'must be a letter or _, then letters, digits and _, at most 128 characters';
}

/** What is wrong with the value; null: nothing. Tells nothing of it. */
export function problemOfValue(value: string): string | null {
  if (value.includes('\0')) return 'must hold no NUL';
  // Half a character: it has no UTF-8, so it could not arrive as it is.
  if (/\p{Surrogate}/u.test(value)) return 'must be text that UTF-8 can say';
  return Buffer.byteLength(value) <= MAX_VALUE_BYTES ? null : `must have at most ${MAX_VALUE_BYTES} bytes`;
}

/** All that is wrong with an app's whole environment; each field is named by its key. */
export function problemsOf(variables: readonly EnvVariable[]): FieldProblem[] {
  const total = variables.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0);
  return [
    ...variables.flatMap((variable) => {
      const message =
        problemOfKey(variable.key) ?? problemOfValue(variable.value) ?? problemOfScope(variable);
      return message === null ? [] : [{ field: variable.key, message }];
    }),
    ...(variables.length > MAX_VARIABLES
      ? [{ field: 'environment', message: `must have at most ${MAX_VARIABLES} variables` }]
      : []),
    ...(total > MAX_TOTAL_BYTES
      ? [
          {
            field: 'environment',
            message: `must have at most ${MAX_TOTAL_BYTES} bytes in all values together`,
          },
        ]
      : []),
  ];
}

function problemOfScope(variable: EnvVariable): string | null {
  if (!isForBuild(variable) || mayBeBuildArgument(variable.key)) return null;
  return 'means something to Docker itself in a build; give it the scope runtime';
}
