import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { defaultDataDir, InvalidConfig, refuseToBePublic } from './load-config.ts';

/** What `bin/up` itself needs; API and worker read their own settings (`load-config.ts`) from what it hands on. */
export interface StartSettings {
  readonly dataDir: string;
  /** Built programs that outlive one DATA_DIR, e.g. Traefik. */
  readonly cacheDir: string;
  /** Null: an embedded Postgres is started. */
  readonly databaseUrl: string | null;
  readonly dockerHost: string;
  readonly auth: 'token' | 'none';
  readonly baseDomain: string;
  /** Null: made from BASE_DOMAIN and HTTP_PORT. */
  readonly publicUrl: string | null;
  readonly apiPort: number;
  readonly apiAddress: string;
  readonly fallbackPort: number;
  /** Null: 80 where it may be bound, else 8000. */
  readonly httpPort: number | null;
  readonly traefikApiUrl: string;
  /** A finished Traefik binary; null: the image, else built and cached. */
  readonly traefikBinary: string | null;
  readonly traefikImage: string;
  readonly sampleGitPort: number;
  /** Null: the default image where it can be had, else one made of what this machine has. */
  readonly nodeImage: string | null;
  readonly gitPrivateHosts: readonly string[];
  /** The environment as it was found, for child processes. */
  readonly environment: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The image tried first for Node apps without a Dockerfile; the same default as in `load-config.ts`. */
export const DEFAULT_NODE_IMAGE = 'node:22-slim';

const port = z.coerce
  .number('must be a port number')
  .int()
  .min(1, 'must be 1–65535')
  .max(65535, 'must be 1–65535');
const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

const schema = z.object({
  DATA_DIR: absolutePath.optional(),
  XDG_CACHE_HOME: absolutePath.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional(),
  DOCKER_HOST: z
    .string()
    .regex(/^unix:\/\/\//, 'must be a unix socket of a daemon on this host, e.g. unix:///var/run/docker.sock')
    .default('unix:///var/run/docker.sock'),
  AUTH: z.enum(['token', 'none'], 'must be token or none').default('token'),
  BASE_DOMAIN: z
    .string()
    .regex(/^[a-z0-9.-]+$/, 'must be a lower-case domain name without a port, e.g. apps.example.org')
    .default('localhost'),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  PORT: port.default(8080),
  API_ADDRESS: z.union([z.ipv4(), z.ipv6()], 'must be an IP address').default('127.0.0.1'),
  FALLBACK_PORT: port.default(8081),
  HTTP_PORT: port.optional(),
  TRAEFIK_API_URL: z
    .url('must be a URL such as http://127.0.0.1:8082')
    // Whoever reaches this API reads every route; so bin/up starts it on loopback and nowhere else.
    .regex(/^http:\/\/127\.0\.0\.1:\d+\/?$/, 'must be http://127.0.0.1:<port>')
    .default('http://127.0.0.1:8082'),
  TRAEFIK_BINARY: absolutePath.optional(),
  TRAEFIK_IMAGE: z
    .string()
    .regex(/^[a-z0-9][a-zA-Z0-9./:@_-]*$/, 'must be an image name')
    .default('traefik:v3.6.12'),
  SAMPLE_GIT_PORT: port.default(8083),
  NODE_IMAGE: z.string().optional(),
  GIT_PRIVATE_HOSTS: z.string().default(''),
});

const settings = schema.superRefine(({ AUTH, PUBLIC_URL, API_ADDRESS }, context) => {
  if (AUTH === 'none') refuseToBePublic({ publicUrl: PUBLIC_URL, apiAddress: API_ADDRESS }, context);
});

/** The names read here, for the test that keeps `.env.example` complete. */
export const START_SETTING_NAMES: readonly string[] = Object.keys(schema.shape).filter(
  (name) => name !== 'XDG_CACHE_HOME',
);

/**
 * Environment in, frozen settings out. An empty value counts as unset.
 * @throws InvalidConfig naming every problem at once.
 */
export function loadStartSettings(environment: Environment = process.env): StartSettings {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = settings.safeParse(present);
  if (!parsed.success) {
    throw new InvalidConfig(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
  }
  const value = parsed.data;
  return Object.freeze({
    dataDir: value.DATA_DIR ?? defaultDataDir(process.getuid?.() === 0),
    cacheDir: join(value.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'berth'),
    databaseUrl: value.DATABASE_URL ?? null,
    dockerHost: value.DOCKER_HOST,
    auth: value.AUTH,
    baseDomain: value.BASE_DOMAIN,
    publicUrl: value.PUBLIC_URL ?? null,
    apiPort: value.PORT,
    apiAddress: value.API_ADDRESS,
    fallbackPort: value.FALLBACK_PORT,
    httpPort: value.HTTP_PORT ?? null,
    traefikApiUrl: value.TRAEFIK_API_URL.replace(/\/+$/, ''),
    traefikBinary: value.TRAEFIK_BINARY ?? null,
    traefikImage: value.TRAEFIK_IMAGE,
    sampleGitPort: value.SAMPLE_GIT_PORT,
    nodeImage: value.NODE_IMAGE ?? null,
    gitPrivateHosts: value.GIT_PRIVATE_HOSTS.split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    environment: Object.freeze({ ...environment }),
  });
}
