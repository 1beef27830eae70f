import type Dockerode from 'dockerode';
import type { RegistrySettings } from '../config/config.ts';

/** What Docker is told for one call to the registry; it keeps none of it. */
export function signInOf({ host, credential }: RegistrySettings): Dockerode.AuthConfigObject {
  return {
    username: credential?.user ?? '',
    password: credential?.password.reveal() ?? '',
    serveraddress: host,
  };
}

/** The same for the base images of a build, which may be of several registries. */
export function signInsOf(registry: RegistrySettings | null): Dockerode.RegistryConfig | null {
  if (registry?.credential == null) return null;
  const { user, password } = registry.credential;
  return { [registry.host]: { username: user, password: password.reveal() } };
}
