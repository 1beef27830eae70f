import type { BuildLimits } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { codeOf, messageOf, statusOf } from './error-facts.ts';
import { describePullTrouble, isPassing, type PullTrouble, readPullTrouble } from './pull-trouble.ts';

const MAX_QUOTED = 300;
const KILLED = 137;

/** How a build ended badly, in the daemon's words. */
export interface BuildError {
  readonly message: string;
  readonly exitCode: number | null;
  /** The instruction that ran. */
  readonly step: string | null;
  /** A limit that the step was seen to reach before it ended. */
  readonly hitLimit?: 'memory' | 'processes' | null;
}

export class BaseImageUnavailable extends DeploymentFailed {
  readonly #trouble: PullTrouble;

  constructor(reason: string, trouble: PullTrouble) {
    super('base_image_unavailable', reason);
    this.#trouble = trouble;
  }

  get isPassing(): boolean {
    return isPassing(this.#trouble);
  }

  afterTries(count: number): BaseImageUnavailable {
    return new BaseImageUnavailable(`${this.message} It was tried ${count} times.`, this.#trouble);
  }
}

type Limits = Pick<BuildLimits, 'memoryMb' | 'pids'>;

/**
 * Names the cause of a failed build. A step that was killed (137) is taken for out of memory: whoever asks has made sure
 * before that the daemon was not stopped meanwhile, which ends steps the same way.
 */
export function buildFailure(error: BuildError, { memoryMb, pids }: Limits): DeploymentFailed {
  const { message, exitCode, step, hitLimit = null } = error;
  const evidence = exitCode === null ? {} : { exitCode };
  const name = step === null ? 'A step' : `The step "${shorten(step, 120)}"`;

  if (/no space left on device/i.test(message)) {
    return new DeploymentFailed('disk_full', 'The disk of the Docker daemon is full.', { evidence });
  }
  if (exitCode === KILLED || (exitCode !== null && hitLimit === 'memory')) {
    const what = exitCode === KILLED ? 'was killed' : 'ran out of memory';
    return new DeploymentFailed(
      'build_out_of_memory',
      `${name} ${what} (exit code ${exitCode}): a build may use ${memoryMb} MB of memory.`,
      { evidence: { ...evidence, outOfMemory: true } },
    );
  }
  if (exitCode !== null && hitLimit === 'processes') {
    return new DeploymentFailed(
      'build_too_many_processes',
      `${name} could start no more processes (exit code ${exitCode}): a step of a build may have ${pids} at the same time.`,
      { evidence },
    );
  }
  if (exitCode !== null) {
    return new DeploymentFailed('build_failed', `${name} ended with exit code ${exitCode}.`, { evidence });
  }
  if (concernsBaseImage(message, step)) {
    const image = /^FROM\s+(?:--\S+\s+)*(\S+)/i.exec(step ?? '')?.[1];
    const which = image === undefined ? 'The base image' : `The base image ${shorten(image, 120)}`;
    const trouble = readPullTrouble(message);
    return new BaseImageUnavailable(`${describePullTrouble(trouble, which)}: ${quote(message)}`, trouble);
  }
  return new DeploymentFailed(
    'build_failed',
    `${step === null ? 'The build' : name} failed: ${quote(message)}`,
  );
}

/** An error that was thrown while talking to the daemon, as what it means for the deployment. */
export function requestFailure(error: unknown, limits: Limits): DeploymentFailed {
  if (error instanceof DeploymentFailed) return error;
  if (isConnectionError(error)) {
    return new DeploymentFailed('docker_unavailable', 'The connection to the Docker daemon broke.', {
      cause: error,
    });
  }
  if (statusOf(error) !== null) {
    const words = messageOf(error)
      .replace(/^\(HTTP code \d+\) [^-]* - /, '')
      .trim();
    return buildFailure({ message: words, exitCode: null, step: null }, limits);
  }
  return new DeploymentFailed('internal', 'The build ended for a reason of the platform.', { cause: error });
}

const CONNECTION_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'EACCES', 'ETIMEDOUT'];

/** The daemon is away, or went away in the middle. */
export function isConnectionError(error: unknown): boolean {
  return (
    CONNECTION_CODES.includes(codeOf(error) ?? '') ||
    /socket hang up|aborted|premature close/i.test(messageOf(error))
  );
}

function concernsBaseImage(message: string, step: string | null): boolean {
  if (step !== null && /^FROM\s/i.test(step)) return true;
  if (step !== null && /^\[internal\] load (?:metadata|build definition)|^resolve image config/.test(step))
    return true;
  return /^invalid from flag value|pull access denied|manifest unknown|manifest for .* not found|toomanyrequests|failed to (?:resolve|do request)|(?:docker\.io|registry)\S*: not found/i.test(
    message,
  );
}

/** The first line of the daemon's words, as the end of a sentence. */
function quote(message: string): string {
  const words = shorten(message.split('\n')[0] ?? '', MAX_QUOTED).trimEnd();
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
