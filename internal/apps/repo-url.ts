import { isPublicAddress } from './public-address.ts';

/** Which Git servers may be asked. */
export interface RepoUrlPolicy {
  /** Host names; `*` stands for any public host. */
  readonly allowedHosts: readonly string[];
  /** `host:port` of servers that may be private and speak plain HTTP. */
  readonly privateHosts: readonly string[];
}

export type ParsedRepoUrl =
  | {
      readonly ok: true;
      /** Rebuilt from the parsed parts: this text, never the given one, goes to Git. */
      readonly url: string;
      /** Host, with the port where it is not the scheme's own. */
      readonly host: string;
      readonly isPrivate: boolean;
    }
  | { readonly ok: false; readonly problem: string };

const MAX_LENGTH = 500;
const SHORTHAND = /^([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([A-Za-z0-9._-]{1,100})$/;
/** Only the plain spelling: WHATWG's parser alone would also take `https:host`, `https:///host` and back-slashes. */
const HTTP_URL = /^https?:\/\/[^/?#]+\/[^?#]*$/i;
const PATH = /^(?:\/(?:[A-Za-z0-9._~+@-]|%20)+)+\/?$/;
const DNS_NAME = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Reads a repository URL, or `owner/name` of github.com. The problem is a phrase to follow the field's name and repeats
 * nothing of the text. Names are not resolved here: whoever connects must look at the addresses once more.
 */
export function parseRepoUrl(text: string, policy: RepoUrlPolicy): ParsedRepoUrl {
  if (text.length === 0) return refuse('must not be empty');
  if (text.length > MAX_LENGTH) return refuse(`must have at most ${MAX_LENGTH} characters`);
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\')) {
    return refuse('must hold no spaces, back-slashes, control or non-ASCII characters');
  }
  const shorthand = SHORTHAND.exec(text);
  const url = shorthand ? new URL(`https://github.com/${shorthand[1]}/${shorthand[2]}`) : parse(text);
  if (!url) return refuse('must be an https:// URL such as https://github.com/owner/name, or owner/name');
  if (url.username !== '' || url.password !== '' || text.split('/')[2]?.includes('@')) {
    return refuse('must hold no user name or token');
  }
  if (!PATH.test(url.pathname)) {
    return refuse('must name a repository by letters, digits and . _ ~ + @ - only, such as /owner/name');
  }
  return isPrivateHost(url, policy) ? accept(url, true) : checkPublicHost(url, policy);
}

function parse(text: string): URL | null {
  return HTTP_URL.test(text) && URL.canParse(text) ? new URL(text) : null;
}

/** Is it one of the servers that may be private and speak plain HTTP? */
export function isPrivateHost(url: URL, policy: RepoUrlPolicy): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return includesHost(policy.privateHosts, `${url.hostname}:${port}`);
}

function checkPublicHost(url: URL, policy: RepoUrlPolicy): ParsedRepoUrl {
  if (url.protocol !== 'https:') return refuse('must begin with https://');
  if (url.port !== '') return refuse('must use port 443');
  // WHATWG has already turned 2130706433, 0x7f.1 and 127.1 into dotted IPv4, and [::ffff:…] into its hex form.
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (!DNS_NAME.test(address) && !isPublicAddress(address)) return refuse('must name a public host');
  if (!policy.allowedHosts.includes('*') && !includesHost(policy.allowedHosts, url.hostname)) {
    return refuse('must name a host of GIT_ALLOWED_HOSTS');
  }
  return accept(url, false);
}

function includesHost(hosts: readonly string[], host: string): boolean {
  return hosts.some((candidate) => candidate.toLowerCase() === host);
}

function accept(url: URL, isPrivate: boolean): ParsedRepoUrl {
  const path = url.pathname.replace(/\/$/, '');
  return { ok: true, url: `${url.protocol}//${url.host}${path}`, host: url.host, isPrivate };
}

function refuse(problem: string): ParsedRepoUrl {
  return { ok: false, problem };
}
