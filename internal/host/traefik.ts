import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TraefikOptions {
  readonly instance: string;
  readonly httpPort: number;
  readonly apiPort: number;
  readonly dockerHost: string;
  /** Host name under which the platform itself is reached; null: it is not routed. */
  readonly platformHost: string | null;
  /** `address:port` of the API, as Traefik reaches it. */
  readonly apiAddress: string;
  readonly fallbackPort: number;
}

export interface TraefikFiles {
  /** Text of `traefik.yml`. */
  readonly static: string;
  /** Text of `dynamic.yml`. */
  readonly dynamic: string;
}

/** Traefik as measured needs far less; the limits make Go give memory back while nothing happens. */
export const TRAEFIK_ENVIRONMENT = { GOMEMLIMIT: '96MiB', GOGC: '50' };

/** The templates of `traefik/` filled in. `directory`: where the files will lie, as Traefik sees it. */
export function renderTraefik(
  templates: TraefikFiles,
  options: TraefikOptions,
  directory: string,
): TraefikFiles {
  return {
    static: fill(templates.static, {
      HTTP_PORT: String(options.httpPort),
      API_PORT: String(options.apiPort),
      DOCKER_HOST: options.dockerHost,
      INSTANCE: options.instance,
      DYNAMIC_FILE: join(directory, 'dynamic.yml'),
    }),
    dynamic: fill(options.platformHost === null ? withoutPlatform(templates.dynamic) : templates.dynamic, {
      PLATFORM_HOST: options.platformHost ?? '',
      API_ADDRESS: options.apiAddress,
      FALLBACK_PORT: String(options.fallbackPort),
    }),
  };
}

/** Renders the checkout's templates into `directory`. @returns the path of the static configuration */
export function writeTraefikFiles(checkout: string, directory: string, options: TraefikOptions): string {
  const read = (name: string) => readFileSync(join(checkout, 'traefik', name), 'utf8');
  const files = renderTraefik(
    { static: read('traefik.yml'), dynamic: read('dynamic.yml') },
    options,
    directory,
  );
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  replaceFile(join(directory, 'traefik.yml'), files.static);
  replaceFile(join(directory, 'dynamic.yml'), files.dynamic);
  return join(directory, 'traefik.yml');
}

/** The template marks the lines of each block that is about the platform itself. */
function withoutPlatform(template: string): string {
  const cut = template.replace(/^ *# platform:\n[\s\S]*?^ *# end\n/gm, '');
  // A mark that was lost would leave a route to an API that asks for no token.
  if (cut.includes('@PLATFORM_HOST@') || cut.includes('@API_ADDRESS@')) {
    throw new Error("Traefik's template does not mark what is about the platform");
  }
  return cut;
}

// Values stand inside quotes and back-ticks: nothing that could end either may be among them.
const PLAIN = /^[\w.:/[\]-]+$/;

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/@(\w+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`Traefik's template names ${name}, which has no value`);
    if (!PLAIN.test(value)) throw new Error(`${name} cannot stand in Traefik's configuration: ${value}`);
    return value;
  });
}

function replaceFile(path: string, text: string): void {
  // A Traefik that runs reads a file again whenever it is written.
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(`${path}.new`, text, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}
