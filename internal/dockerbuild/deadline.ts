import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { isConnectionError } from './build-failure.ts';
import { statusOf } from './error-facts.ts';

const MILLISECONDS = 30_000;

/**
 * The answer, unless it takes half a minute: dockerode itself waits for ever. Where the daemon has answered with an
 * error, that is thrown.
 * @throws DeploymentFailed docker_unavailable
 */
export async function withDeadline<T>(answer: Promise<T>, milliseconds: number = MILLISECONDS): Promise<T> {
  const inTime = new AbortController();
  const late = delay(milliseconds, undefined, { signal: inTime.signal }).then(() => {
    throw unavailable();
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    const isAway = statusOf(error) === null && isConnectionError(error);
    throw isAway ? unavailable(error) : error;
  } finally {
    late.catch(() => {});
    inTime.abort();
  }
}

function unavailable(cause?: unknown): DeploymentFailed {
  return new DeploymentFailed('docker_unavailable', 'The Docker daemon does not answer.', { cause });
}
