import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { isConnectionError } from './build-failure.ts';
import { codeOf, messageOf, statusOf } from './error-facts.ts';

const MAX_QUOTED = 300;

interface Cause {
  readonly words: RegExp;
  /** What is wrong and the way out, after "The registry HOST ". */
  readonly text: (host: string) => string;
  /** It may go well a little later. */
  readonly mayPass?: true;
}

/** What Docker and registries say, from special to general. */
const CAUSES: readonly Cause[] = [
  {
    words: /server gave HTTP response to HTTPS client/i,
    text: (host) =>
      `speaks plain HTTP, which Docker refuses: give it a certificate, or add "${host}" to "insecure-registries" in /etc/docker/daemon.json and restart Docker.`,
  },
  {
    words: /x509:|tls: |certificate/i,
    text: (host) =>
      `has a certificate that Docker does not trust: put the certificate of its authority at /etc/docker/certs.d/${host}/ca.crt on this machine.`,
  },
  {
    words: /no space left|insufficient storage|507|quota/i,
    text: () => 'has no space left, or no more for this project: make room there, or raise the quota.',
  },
  {
    words: /project \S+ not found|NAME_UNKNOWN|name unknown|repository name not known/i,
    text: () => 'does not know the project: make it there, or set REGISTRY_PROJECT to one that is there.',
  },
  {
    words:
      /unauthorized|no basic auth credentials|authentication required|\b401\b|incorrect username or password/i,
    text: () =>
      'refuses the sign-in: check REGISTRY_USER and REGISTRY_PASSWORD, and that this user may push there.',
  },
  {
    words: /denied|forbidden|\b403\b|insufficient_scope|READONLY|read.?only/i,
    text: () =>
      'does not let this user push there: give it the right to, or set REGISTRY_PROJECT to a project where it has it; that project must be there.',
  },
  {
    words: /too large|\b413\b/i,
    text: () => 'takes no layers of this size: raise the limit of the proxy before it.',
  },
  {
    words:
      /connection refused|no such host|no route to host|network is unreachable|i\/o timeout|timeout|deadline exceeded|connection reset|broken pipe|\bEOF\b|server misbehaving|try again/i,
    text: () => 'cannot be reached from this machine: check REGISTRY_URL, and that it runs.',
    mayPass: true,
  },
  {
    words:
      /\b5\d\d\b|internal server error|unknown: unknown error|toomanyrequests|too many requests|\b429\b/i,
    text: () => 'failed to take the image: its own log says why; often its disk is full.',
    mayPass: true,
  },
];

/** Names why the registry did not take the image, in a sentence with the way out. @param words the daemon's */
export function pushFailure(words: string, host: string): DeploymentFailed {
  const said = words.split('\n')[0]?.trim().slice(0, MAX_QUOTED) ?? '';
  const cause = CAUSES.find((each) => each.words.test(said));
  const text = cause?.text(host) ?? 'did not take the image.';
  return new DeploymentFailed(
    'registry_push_failed',
    `The registry ${host} ${text} Docker said: ${withFullStop(said)}`,
    { mayPass: cause?.mayPass === true },
  );
}

/** An error that was thrown while talking to the daemon. */
export function pushRequestFailure(error: unknown, host: string): DeploymentFailed {
  if (error instanceof DeploymentFailed) return error;
  if (statusOf(error) !== null) return pushFailure(messageOf(error), host);
  if (isConnectionError(error) || codeOf(error) !== null) {
    return new DeploymentFailed('docker_unavailable', 'The connection to the Docker daemon broke.', {
      cause: error,
    });
  }
  return new DeploymentFailed('internal', 'The push ended for a reason of the platform.', { cause: error });
}

function withFullStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
