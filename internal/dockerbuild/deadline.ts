import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFailed } from '../errors/deployment-failed.ts';

const MILLISECONDS = 30_000;

/** The answer, unless it takes half a minute: dockerode itself waits for ever. @throws DeploymentFailed docker_unavailable */
export async function withDeadline<T>(answer: Promise<T>, milliseconds: number = MILLISECONDS): Promise<T> {
  const inTime = new AbortController();
  const late = delay(milliseconds, undefined, { signal: inTime.signal }).then(() => {
    throw new DeploymentFailed('docker_unavailable', 'The Docker daemon does not answer.');
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => {});
    inTime.abort();
  }
}
