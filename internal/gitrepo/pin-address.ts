import { lookup } from 'node:dns/promises';
import { isPublicAddress } from '../apps/public-address.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Source } from './accept-request.ts';
import { errorCode } from './error-code.ts';

/** All addresses of a host name, as connecting to it would find them. */
export type ResolveHost = (hostname: string) => Promise<string[]>;

export async function resolveBySystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map((entry) => entry.address);
}

/**
 * The addresses of the host, when all of them are public: connecting to these and asking DNS no more is what keeps a
 * name from meaning another address later (rebinding). Null: there is nothing to look up.
 * @throws DeploymentFailed clone_forbidden, clone_failed, git_host_unavailable
 */
export async function checkAddresses(
  source: Pick<Source, 'url' | 'isPrivate'>,
  resolve: ResolveHost,
): Promise<string[] | null> {
  const { hostname } = new URL(source.url);
  // A private host is the operator's word; an address as the host was checked when the URL was read.
  if (source.isPrivate || isPublicAddress(hostname.replace(/^\[|\]$/g, ''))) return null;
  const addresses = await resolveOrExplain(hostname, resolve);
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) {
    throw new DeploymentFailed('clone_forbidden', `The host ${hostname} has an address that is not public.`);
  }
  return addresses;
}

/** As Git's `http.curloptResolve` takes them. */
export function pinFor(source: Pick<Source, 'url'>, addresses: readonly string[]): string {
  const { hostname } = new URL(source.url);
  return `${hostname}:443:${addresses.map((address) => (address.includes(':') ? `[${address}]` : address)).join(',')}`;
}

async function resolveOrExplain(hostname: string, resolve: ResolveHost): Promise<string[]> {
  try {
    return await resolve(hostname);
  } catch (cause) {
    if (errorCode(cause) === 'ENOTFOUND') {
      throw new DeploymentFailed('clone_failed', `There is no host named ${hostname}.`, { cause });
    }
    throw new DeploymentFailed('git_host_unavailable', `The address of ${hostname} cannot be looked up.`, {
      cause,
    });
  }
}
