/**
 * What an error tells beside its text. By shape, not by class: errors of Node's own modules are of another realm where
 * code runs in a VM context, as in tests.
 */

/** `ENOENT` and its like. */
export function codeOf(error: unknown): string | null {
  return textAt(error, 'code');
}

/** HTTP status of an answer of the Docker daemon. */
export function statusOf(error: unknown): number | null {
  const status = valueAt(error, 'statusCode');
  return typeof status === 'number' ? status : null;
}

export function messageOf(error: unknown): string {
  return textAt(error, 'message') ?? String(error);
}

/** The file that an error of the file system is about. */
export function pathOf(error: unknown): string | null {
  return textAt(error, 'path');
}

function textAt(error: unknown, key: string): string | null {
  const value = valueAt(error, key);
  return typeof value === 'string' ? value : null;
}

function valueAt(error: unknown, key: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
}
