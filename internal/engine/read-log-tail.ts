import { SecretMask } from '../logs/secret-mask.ts';
import type { Tools } from './job.ts';
import type { RunningContainer } from './ports.ts';

const LINES = 200;
const LINE_LENGTH = 4096;

/** The last lines that a container wrote, without the secrets of its release. Cut only then, or half of one would stay. */
export async function readLogTail(
  tools: Pick<Tools, 'containers' | 'releaseSecrets'>,
  { containerId, deploymentId }: Pick<RunningContainer, 'containerId' | 'deploymentId'>,
): Promise<string[]> {
  const lines = await tools.containers.logTail(containerId, LINES);
  const mask = new SecretMask(await tools.releaseSecrets(deploymentId));
  return lines.map((line) => mask.apply(line).slice(0, LINE_LENGTH));
}
