import type { Config } from '../../internal/config/config.ts';
import { writeTraefikFiles } from '../../internal/host/traefik.ts';
import { findCheckout } from '../up/checkout.ts';

/**
 * Writes Traefik's configuration where TRAEFIK_CONFIG_DIR says, for a Traefik that somebody else starts (compose). It
 * names the instance, which only exists once the database does; so this is the first moment it can be written.
 */
export function prepareProxy(config: Config, instance: string): void {
  if (config.traefikConfigDir === null) return;
  writeTraefikFiles(findCheckout(), config.traefikConfigDir, {
    instance,
    httpPort: config.httpPort,
    apiPort: Number(new URL(config.traefikApiUrl).port),
    dockerHost: config.dockerHost,
    platformHost: config.auth === 'none' ? null : new URL(config.publicUrl).hostname,
    // Traefik is on the host's network, where the API's ports are published on loopback.
    apiAddress: `127.0.0.1:${config.apiPort}`,
    fallbackPort: config.fallbackPort,
  });
}
