import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { messageOf, statusOf } from './docker-call.ts';
import { plainLine } from './plain-lines.ts';

/**
 * Why Docker would not create or start a container, in a sentence for the one who deploys. What is not an answer of the
 * daemon about this container is passed on unchanged.
 */
export function startFailure(error: unknown): unknown {
  if (error instanceof DeploymentFailed || statusOf(error) === null) return error;
  const words = messageOf(error);
  const known = KNOWN.find(({ pattern }) => pattern.test(words));
  const command = /exec: \\?"([^"\\]+)\\?":/.exec(words)?.[1];
  if (!known) {
    return new DeploymentFailed('image_start_failed', `Docker could not start it: ${briefly(words)}.`, {
      cause: error,
    });
  }
  const reason = known.reason.replace('%', command ? `"${plainLine(command, 100)}"` : 'the image names');
  return new DeploymentFailed(known.code, reason, { cause: error });
}

const KNOWN = [
  {
    pattern: /docker-init.*(not found|no such file)/i,
    code: 'docker_unavailable',
    reason: 'Docker has no init program on this host; install the package tini (or docker-init).',
  },
  {
    pattern: /no command specified|no such image command/i,
    code: 'image_start_failed',
    reason: 'The image has neither CMD nor ENTRYPOINT, so nothing says what to run.',
  },
  {
    pattern: /executable file not found|no such file or directory.*unknown|stat .*: no such file/i,
    code: 'image_start_failed',
    reason: 'The start command % does not exist in the image.',
  },
  {
    pattern: /permission denied/i,
    code: 'image_start_failed',
    reason: 'The start command % is not executable.',
  },
  {
    pattern: /exec format error/i,
    code: 'image_start_failed',
    reason: 'The start command % was built for another kind of processor.',
  },
  {
    pattern: /unable to find user|no matching entries in passwd|unable to find group/i,
    code: 'image_start_failed',
    reason: 'The USER of the image is not in its /etc/passwd; name it by number, or create it.',
  },
  {
    pattern: /address already in use/i,
    code: 'internal',
    reason: 'The address chosen for the container is already in use in its network.',
  },
  {
    pattern: /no such image/i,
    code: 'image_missing',
    reason: 'The image of this release is gone from the machine.',
  },
  {
    pattern: /minimum memory limit|memory limit.*minimum/i,
    code: 'image_start_failed',
    reason: 'The memory limit is too small for Docker; set memory_mb higher.',
  },
] as const;

function briefly(words: string): string {
  return plainLine(words.replaceAll(/\s+/g, ' '), 300).replace(/[.:\s]+$/, '');
}
