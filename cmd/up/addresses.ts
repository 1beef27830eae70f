import type { StartSettings } from '../../internal/config/start-settings.ts';

/** Where this host reaches the API: what listens on every address is asked on loopback. */
export function apiAddress({ apiAddress: bound }: StartSettings): string {
  return bound === '0.0.0.0' || bound === '::' ? '127.0.0.1' : bound;
}

/** `address:port`, as it stands in a URL. */
export function apiAuthority(settings: StartSettings): string {
  const address = apiAddress(settings);
  return address.includes(':') ? `[${address}]:${settings.apiPort}` : `${address}:${settings.apiPort}`;
}

export function apiUrl(settings: StartSettings): string {
  return `http://${apiAuthority(settings)}`;
}

/** The host name under which Traefik routes the platform itself; null with AUTH=none: then it routes it not at all. */
export function platformHost(settings: StartSettings): string | null {
  if (settings.auth === 'none') return null;
  return settings.publicUrl === null ? `berth.${settings.baseDomain}` : new URL(settings.publicUrl).hostname;
}

/** Traefik's own API, on loopback. */
export function traefikApiPort(settings: StartSettings): number {
  return Number(new URL(settings.traefikApiUrl).port);
}
