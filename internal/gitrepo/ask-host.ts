import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPrivateHost } from '../apps/repo-url.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Attempt } from './attempt.ts';
import { checkAddresses } from './pin-address.ts';
import { untilAborted } from './until-aborted.ts';

export interface Question {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A POST with this, else a GET. */
  readonly body?: string;
}

/**
 * Asks by HTTP under the rules by which Git asks: https at its own port, to addresses that were checked and are public, or
 * a server of GIT_PRIVATE_HOSTS. No redirect is followed. @throws DeploymentFailed clone_forbidden, git_host_unavailable
 */
export async function askHost(
  attempt: Pick<Attempt, 'policy' | 'resolveHost' | 'caFile' | 'lowSpeedSeconds' | 'limits'>,
  question: Question,
): Promise<IncomingMessage> {
  const { policy, resolveHost, caFile, lowSpeedSeconds, limits } = attempt;
  const url = URL.canParse(question.url) ? new URL(question.url) : null;
  if (url === null)
    throw new DeploymentFailed('clone_forbidden', 'The Git host names an address that is none.');
  const isPrivate = isPrivateHost(url, policy);
  if (!isPrivate && (url.protocol !== 'https:' || url.port !== '')) throw refused(url);
  const addresses = await untilAborted(
    checkAddresses({ url: url.href, isPrivate }, resolveHost),
    limits.signal,
  );
  const options = {
    method: question.body === undefined ? 'GET' : 'POST',
    headers: {
      ...question.headers,
      ...(question.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(question.body)) }),
    },
    signal: limits.signal,
    agent: false,
    ...(addresses === null ? {} : { lookup: only(addresses) }),
  };
  const tls = caFile === null ? {} : { ca: await readFile(caFile) };
  return await new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:' ? requestByHttps(url, { ...options, ...tls }) : requestByHttp(url, options);
    request.setTimeout(lowSpeedSeconds * 1000, () =>
      request.destroy(new DeploymentFailed('clone_timeout', `${url.host} stopped sending data.`)),
    );
    request.on('response', resolve);
    request.on('error', (cause) => {
      if (limits.signal.aborted) reject(limits.signal.reason);
      else if (cause instanceof DeploymentFailed) reject(cause);
      else reject(unavailable(url, cause));
    });
    request.end(question.body);
  });
}

function refused({ host }: URL): DeploymentFailed {
  return new DeploymentFailed(
    'clone_forbidden',
    `LFS files would come from ${host}, which may not be asked.`,
  );
}

function unavailable({ host }: URL, cause: unknown): DeploymentFailed {
  const reason = `${host} cannot be reached, or broke the connection.`;
  return new DeploymentFailed('git_host_unavailable', reason, { cause });
}

/** Whatever the name means by now. */
function only(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };
}
