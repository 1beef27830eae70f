import { type BuildOptions, buildGoProgram } from './go-program.ts';

/** The version that routing was measured with; 3.6.1 or newer is needed for Docker Engine 29. */
export const TRAEFIK_VERSION = 'v3.6.12';

/** Where no image can be pulled. @returns the binary's path. @throws CannotStart */
export function buildTraefik(options: BuildOptions): Promise<string> {
  return buildGoProgram(
    {
      name: 'Traefik',
      module: `github.com/traefik/traefik/v3@${TRAEFIK_VERSION}`,
      package: './cmd/traefik',
      fileName: `traefik-${TRAEFIK_VERSION}`,
      withoutGo:
        'The Traefik image cannot be pulled and there is no Go to build it: allow the pull, install Go 1.24 or newer, or set TRAEFIK_BINARY to a finished Traefik.',
    },
    options,
  );
}
