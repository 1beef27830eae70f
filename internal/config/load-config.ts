import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import type { Config } from './config.ts';

/** All that is wrong with the settings, one line each: name, problem, remedy. Holds no value of a secret. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings are not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const port = (fallback: number) =>
  z.coerce
    .number('must be a port number')
    .int()
    .min(1, 'must be 1–65535')
    .max(65535, 'must be 1–65535')
    .default(fallback);
const seconds = (fallback: number, max = 86_400) =>
  z.coerce
    .number('must be a number of seconds')
    .int()
    .min(1, 'must be at least 1')
    .max(max, `must be at most ${max}`)
    .default(fallback);
const count = (fallback: number, max: number) =>
  z.coerce
    .number('must be a whole number')
    .int()
    .min(1, 'must be at least 1')
    .max(max, `must be at most ${max}`)
    .default(fallback);
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

const domain = z
  .string()
  .regex(
    /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/,
    'must be a lower-case domain name without a port, e.g. apps.example.org',
  )
  .max(190);

/** Values that stand in examples and must never guard anything. */
const EXAMPLE_SECRETS = new Set(['changeme', 'change-me', 'secret', 'development', 'example']);

const longSecret = z
  .string('is missing; bin/up makes one, or: openssl rand -base64 32')
  .min(32, 'must have at least 32 characters; make one with: openssl rand -base64 32')
  .refine((value) => !EXAMPLE_SECRETS.has(value.toLowerCase()), 'is an example value; make a real one')
  .refine((value) => new Set(value).size > 4, 'repeats the same few characters; make a real one');

const encryptionKey = longSecret.refine(
  (value) =>
    Buffer.from(value, 'base64').length === 32 && !Buffer.from(value, 'base64').every((byte) => byte === 0),
  'must be 32 random bytes in base64; make one with: openssl rand -base64 32',
);

const schema = z.object({
  DATA_DIR: absolutePath.optional(),
  DATABASE_URL: z
    .string('is missing; set it, or start with bin/up, which brings a Postgres of its own')
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://'),
  DOCKER_HOST: z
    .string()
    .regex(/^unix:\/\/\//, 'must be a unix socket of a daemon on this host, e.g. unix:///var/run/docker.sock')
    .default('unix:///var/run/docker.sock'),
  BASE_DOMAIN: domain.default('localhost'),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  PORT: port(8080),
  API_ADDRESS: z.union([z.ipv4(), z.ipv6()], 'must be an IP address').default('127.0.0.1'),
  FALLBACK_PORT: port(8081),
  HTTP_PORT: port(80),
  TRAEFIK_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .default('http://127.0.0.1:8082'),
  POLL_INTERVAL_MS: z.coerce
    .number('must be milliseconds')
    .int()
    .min(50, 'must be at least 50')
    .max(60_000)
    .default(2000),
  QUEUE_NOTIFY: z.stringbool('must be true or false').default(true),
  WORKER_CONCURRENCY: count(2, 64),
  LEASE_SECONDS: z.coerce
    .number()
    .int()
    .min(3, 'must be at least 3')
    .max(30, 'must be at most 30')
    .default(30),
  WORK_DIR: absolutePath.optional(),
  GATE_TOOL: absolutePath.optional(),
  NETWORK_POOL: z.cidrv4('must be an IPv4 CIDR such as 10.89.0.0/16').default('10.89.0.0/16'),
  ENCRYPTION_KEY: encryptionKey,
  SESSION_SECRET: longSecret,
  GIT_ALLOWED_HOSTS: list.default(['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org']),
  GIT_PRIVATE_HOSTS: list,
  CLONE_TIMEOUT_SECONDS: seconds(300),
  CLONE_MAX_MB: count(1024, 102_400),
  NODE_IMAGE: z
    .string()
    .regex(/^[a-z0-9][a-zA-Z0-9./:@_-]*$/, 'must be an image name')
    .default('node:20-slim'),
  BUILD_TIMEOUT_SECONDS: seconds(900),
  BUILD_MEMORY_MB: count(2048, 1_048_576),
  BUILD_CPUS: z.coerce.number().min(0.1).max(256).default(2),
  CONTEXT_MAX_MB: count(2048, 102_400),
  GATE_TIMEOUT_SECONDS: seconds(60, 3600),
  WATCH_SECONDS: seconds(10, 600),
  STOP_GRACE_SECONDS: seconds(10, 600),
  CORS_ORIGINS: list.refine((origins) => !origins.includes('*'), 'must name exact origins, never *'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'must be a pino level')
    .default('info'),
  NODE_ENV: z.string().optional(),
  FAULT_AT: z.string().optional(),
});

/** The names this program reads, for the test that keeps `.env.example` complete. */
export const SETTING_NAMES: readonly string[] = Object.keys(schema.shape).filter(
  (name) => name !== 'NODE_ENV',
);

/** Where state lives unless DATA_DIR says otherwise (design: root and compose share one place). */
export function defaultDataDir(isRoot: boolean): string {
  return isRoot ? '/var/lib/berth' : join(homedir(), '.local/share/berth');
}

/**
 * Environment in, frozen settings out. An empty value counts as unset.
 * @throws InvalidConfig naming every problem at once.
 */
export function loadConfig(environment: Environment = process.env): Config {
  const value = parse(schema, environment);
  const dataDir = value.DATA_DIR ?? defaultDataDir(process.getuid?.() === 0);
  return Object.freeze({
    dataDir,
    databaseUrl: new Secret(value.DATABASE_URL),
    dockerHost: value.DOCKER_HOST,
    baseDomain: value.BASE_DOMAIN,
    publicUrl: (value.PUBLIC_URL ?? `http://berth.${value.BASE_DOMAIN}:${value.HTTP_PORT}`).replace(
      /\/+$/,
      '',
    ),
    apiPort: value.PORT,
    apiAddress: value.API_ADDRESS,
    fallbackPort: value.FALLBACK_PORT,
    httpPort: value.HTTP_PORT,
    traefikApiUrl: value.TRAEFIK_API_URL.replace(/\/+$/, ''),
    pollIntervalMs: value.POLL_INTERVAL_MS,
    notify: value.QUEUE_NOTIFY,
    workerConcurrency: value.WORKER_CONCURRENCY,
    leaseSeconds: value.LEASE_SECONDS,
    workDir: value.WORK_DIR ?? join(dataDir, 'work'),
    gateDir: join(dataDir, 'gate'),
    gateTool: value.GATE_TOOL ?? null,
    networkPool: value.NETWORK_POOL,
    encryptionKey: new Secret(value.ENCRYPTION_KEY),
    sessionSecret: new Secret(value.SESSION_SECRET),
    gitAllowedHosts: value.GIT_ALLOWED_HOSTS,
    gitPrivateHosts: value.GIT_PRIVATE_HOSTS,
    cloneTimeoutSeconds: value.CLONE_TIMEOUT_SECONDS,
    cloneMaxMb: value.CLONE_MAX_MB,
    nodeImage: value.NODE_IMAGE,
    buildTimeoutSeconds: value.BUILD_TIMEOUT_SECONDS,
    buildMemoryMb: value.BUILD_MEMORY_MB,
    buildCpus: value.BUILD_CPUS,
    contextMaxMb: value.CONTEXT_MAX_MB,
    gateTimeoutSeconds: value.GATE_TIMEOUT_SECONDS,
    watchSeconds: value.WATCH_SECONDS,
    stopGraceSeconds: value.STOP_GRACE_SECONDS,
    corsOrigins: value.CORS_ORIGINS,
    logLevel: value.LOG_LEVEL,
    faultAt: value.NODE_ENV === 'test' ? (value.FAULT_AT ?? null) : null,
  });
}

/** For what needs the database and nothing else, such as applying migrations. @throws InvalidConfig */
export function loadDatabaseUrl(environment: Environment = process.env): Secret {
  return new Secret(parse(schema.pick({ DATABASE_URL: true }), environment).DATABASE_URL);
}

function parse<T>(settings: z.ZodType<T>, environment: Environment): T {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = settings.safeParse(present);
  if (parsed.success) return parsed.data;
  throw new InvalidConfig(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
}
