/**
 * Host names, decided without looking anything up. A DNS label has at most 63 characters (RFC 1035 §2.3.4), which
 * fixes every length below: an app's name ≤ 40, so that `{app}-{deployment-id}` (10) fits with room to spare.
 */

export const MAX_APP_NAME = 40;
export const MAX_PROJECT_NAME = 40;
const MAX_LABEL = 63;

/** Names that mean the platform itself, or that a neighbour or a browser would take for something else. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'berth',
  'api',
  'www',
  'traefik',
  'panel',
  'dashboard',
  'admin',
  'postgres',
  'docker',
  'gateway',
  'metadata',
  'instance-data', // the metadata service of EC2
  'host',
  // What a container's own /etc/hosts answers.
  'localhost',
  'localdomain',
  'ip6-localhost',
  'ip6-loopback',
  // Names that Windows machines of the domain ask for by themselves.
  'wpad',
  'isatap',
]);

const NAME = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/** A DNS label that begins with a letter, short enough for every host made from it, and not reserved. */
export function isAppName(text: string): boolean {
  return text.length <= MAX_APP_NAME && NAME.test(text) && !RESERVED_NAMES.has(text);
}

export function isProjectName(text: string): boolean {
  return text.length <= MAX_PROJECT_NAME && NAME.test(text) && !RESERVED_NAMES.has(text);
}

export interface HostOwner {
  readonly appName: string;
  readonly projectName: string;
  readonly userHash: string;
  readonly baseDomain: string;
}

/**
 * The hosts an app may be given, best first; it gets the first that nobody has. Those whose label would be too long
 * are left out; the second always fits (6 + 1 + 40).
 */
export function generatedHosts(owner: HostOwner): string[] {
  const { appName, projectName, userHash, baseDomain } = owner;
  return [appName, `${userHash}-${appName}`, `${userHash}-${projectName}-${appName}`]
    .filter((label) => label.length <= MAX_LABEL)
    .map((label) => `${label}.${baseDomain}`);
}

/** The host that reaches exactly this deployment, as long as its containers run. */
export function deploymentHost(of: { appName: string; deploymentId: string; baseDomain: string }): string {
  return `${of.appName}-${of.deploymentId}.${of.baseDomain}`;
}

/** Which deployment a host would reach if it is one of those; null: it can be none. */
export function readDeploymentHost(host: string): { appName: string; deploymentId: string } | null {
  const [, appName, deploymentId] = /^([^.]+)-([a-z][a-z2-7]{9})\./.exec(host) ?? [];
  return appName !== undefined && deploymentId !== undefined ? { appName, deploymentId } : null;
}

export function platformHost(baseDomain: string): string {
  return `berth.${baseDomain}`;
}

const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/**
 * A custom domain in the one spelling we store: lower-case ASCII (punycode by the URL standard), at least two labels,
 * no IP address, no wildcard, no trailing dot. Null: it is not one. What passes can stand in a Traefik rule as it is.
 */
export function parseCustomHost(text: string): string | null {
  if (text.length > 253 || /[^\p{L}\p{N}.-]/u.test(text)) return null;
  let host: string;
  try {
    host = new URL(`http://${text}/`).hostname;
  } catch {
    return null;
  }
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  // An `xn--` label that does not decode is junk; the URL parser has refused it already.
  return HOST.test(host) && !isAddress && !/\.\d+$/.test(host) ? host : null;
}
