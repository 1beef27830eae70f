import { DeploymentFailed } from '../errors/deployment-failed.ts';

const DEADLINE_MS = 30_000;
const CONNECTION_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EACCES', 'EPIPE', 'ETIMEDOUT']);

/**
 * One call to the daemon with a deadline: dockerode has none, and a frozen daemon must not hold a step for ever (F18).
 * `what` completes "Docker did not …". A call that failed with a status of the API rejects as dockerode rejects.
 * @throws DeploymentFailed docker_unavailable, disk_full
 */
export async function dockerCall<T>(what: string, call: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = `Docker did not ${what} within ${Math.round(deadlineMs / 1000)} s.`;
      reject(new DeploymentFailed('docker_unavailable', reason));
    }, deadlineMs);
  });
  try {
    return await Promise.race([call, late]);
  } catch (error) {
    throw asFailure(error, what);
  } finally {
    clearTimeout(timer);
  }
}

/** The HTTP status with which the daemon refused, or null when the error is none of its answers. */
export function statusOf(error: unknown): number | null {
  return isObject(error) && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}

/** The code of an error of the operating system, such as ENOENT, or null. */
export function codeOf(error: unknown): string | null {
  return isObject(error) && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** The daemon's own words, without dockerode's prefix. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}

/** For steps that may be done already: 304 not modified, 404 gone. Anything else is thrown on. */
export async function unlessDone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    const status = statusOf(error);
    if (status === 304 || status === 404) return null;
    throw error;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function asFailure(error: unknown, what: string): unknown {
  if (/no space left on device/i.test(messageOf(error))) {
    return new DeploymentFailed('disk_full', 'The disk of the host is full.', { cause: error });
  }
  const code = codeOf(error);
  if (code !== null && CONNECTION_ERRORS.has(code) && statusOf(error) === null) {
    const reason = `Docker did not ${what}: its socket does not answer (${code}).`;
    return new DeploymentFailed('docker_unavailable', reason, { cause: error });
  }
  return error;
}
