import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import type { Config } from './config.ts';
import { defaultGateway } from './default-gateway.ts';
import { askForWholeGithub, githubSchema, githubSettings } from './github-settings.ts';
import { askForWholeRegistry, registrySchema, registrySettings } from './registry-settings.ts';

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

/** Digits only: `Number('0x50')` and `Number('1e3')` are numbers too, and nobody means them. */
const whole = (fallback: number, range: { min?: number; max: number; of: string }) => {
  const { min = 1, max, of } = range;
  const problem = `must be ${of}, ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, problem)
    .transform(Number)
    .pipe(z.number().min(min, problem).max(max, problem))
    .default(fallback);
};
const port = (fallback: number) => whole(fallback, { max: 65_535, of: 'a port number' });
const seconds = (fallback: number, max = 86_400) => whole(fallback, { max, of: 'a number of seconds' });
const count = (fallback: number, max: number) => whole(fallback, { max, of: 'a whole number' });
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
const imageName = z.string().regex(/^[a-z0-9][a-zA-Z0-9./:@_-]*$/, 'must be an image name');
const ipAddress = z.union([z.ipv4(), z.ipv6()], 'must be an IP address');
/** Named, because Docker chooses that address: it is what comes in through a published port. */
const GATEWAY = 'gateway';
const isProxy = (text: string): boolean =>
  ['loopback', 'linklocal', 'uniquelocal', GATEWAY].includes(text) ||
  z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]).safeParse(text).success;
const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

const domain = z
  .string()
  .regex(
    /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/,
    'must be a lower-case domain name without a port, e.g. apps.example.org',
  )
  .max(190);

const MAKE_ONE = 'make one with: openssl rand -base64 32';

/** What stands in examples and tutorials; a random value contains one of these once in millions. */
const EXAMPLE = /change.?(me|this|it)|example|secret|password|placeholder|default|0123456789|abcdefgh/i;

const longSecret = z
  .string(`is missing; bin/up makes it, or ${MAKE_ONE}`)
  .min(32, `must have at least 32 characters; ${MAKE_ONE}`)
  .refine((value) => !EXAMPLE.test(value), `is an example value; ${MAKE_ONE}`)
  .refine((value) => new Set(value).size >= 10, `repeats the same few characters; ${MAKE_ONE}`);

const encryptionKey = z
  .string(`is missing; bin/up makes it, or ${MAKE_ONE}`)
  .refine(
    (value) => /^[\w+/-]{43}=?$/.test(value) && Buffer.from(value, 'base64').length === 32,
    `must be exactly 32 bytes in base64; ${MAKE_ONE}`,
  )
  .refine((value) => looksRandom(Buffer.from(value, 'base64')), `is an example value; ${MAKE_ONE}`)
  .refine((value) => !EXAMPLE.test(value), `is an example value; ${MAKE_ONE}`);

/** Neither zeros and the like, nor a row of numbers. 32 random bytes have fewer than 16 different ones once in 10^14. */
function looksRandom(bytes: Buffer): boolean {
  const steps = new Set(bytes.subarray(1).map((byte, index) => byte - (bytes[index] ?? 0)));
  return new Set(bytes).size >= 16 && steps.size > 4;
}

/** Where this program was installed: the folder with `internal/`, or the one with `dist/internal/`. */
function installationDirectory(): string {
  const directory = join(import.meta.dirname, '../..');
  return basename(directory) === 'dist' ? dirname(directory) : directory;
}

const isOutsideInstallation = (path: string): boolean => {
  const from = relative(installationDirectory(), path);
  return from.startsWith('..') || isAbsolute(from);
};

const schema = z.object({
  DATA_DIR: absolutePath
    .refine(
      isOutsideInstallation,
      'must not be inside the folder Berth is installed in, which an update replaces; e.g. /var/lib/berth',
    )
    .optional(),
  DATABASE_URL: z
    .string('is missing; set it, or start with bin/up, which brings a Postgres of its own')
    .refine(
      (value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value),
      'must be a URL such as postgresql://user:password@host:5432/database',
    ),
  DOCKER_HOST: z
    .string()
    .regex(/^unix:\/\/\//, 'must be a unix socket of a daemon on this host, e.g. unix:///var/run/docker.sock')
    .default('unix:///var/run/docker.sock'),
  AUTH: z.enum(['token', 'none'], 'must be token or none').default('token'),
  BASE_DOMAIN: domain.default('localhost'),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  PORT: port(8080),
  API_ADDRESS: ipAddress.default('127.0.0.1'),
  FALLBACK_PORT: port(8081),
  FALLBACK_ADDRESS: ipAddress.default('127.0.0.1'),
  HTTP_PORT: port(80),
  TRAEFIK_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .default('http://127.0.0.1:8082'),
  TRAEFIK_CONFIG_DIR: absolutePath.optional(),
  POLL_INTERVAL_MS: whole(2000, { min: 50, max: 60_000, of: 'milliseconds' }),
  QUEUE_NOTIFY: z.stringbool('must be true or false').default(true),
  WORKER_CONCURRENCY: count(2, 64),
  LEASE_SECONDS: whole(30, { min: 3, max: 30, of: 'seconds' }),
  WORK_DIR: absolutePath.optional(),
  GATE_TOOL: absolutePath.optional(),
  NETWORK_POOL: z
    .cidrv4('must be an IPv4 CIDR such as 10.89.0.0/16')
    .refine((cidr) => Number(cidr.split('/')[1]) <= 24, 'must be a /24 or larger: each project gets a /24')
    .default('10.89.0.0/16'),
  ENCRYPTION_KEY: encryptionKey,
  OLD_ENCRYPTION_KEYS: list.pipe(z.array(encryptionKey)),
  SESSION_SECRET: longSecret,
  SESSION_IDLE_HOURS: count(72, 8760),
  SESSION_MAX_DAYS: count(30, 365),
  ...githubSchema,
  GIT_ALLOWED_HOSTS: list.default(['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org']),
  GIT_PRIVATE_HOSTS: list,
  CLONE_TIMEOUT_SECONDS: seconds(300),
  CLONE_MAX_MB: count(1024, 102_400),
  NODE_IMAGE: imageName.default('node:22-slim'),
  PYTHON_IMAGE: imageName.default('python:3.12-slim'),
  GO_IMAGE: imageName.default('golang:1.25'),
  STATIC_IMAGE: imageName.default('nginx:1.29-alpine'),
  BUILDKIT_IMAGE: imageName.default('moby/buildkit:v0.28.1'),
  BUILDKIT_CACHE_MB: whole(2048, { min: 0, max: 1_048_576, of: 'a number of MB' }),
  BUILD_TIMEOUT_SECONDS: seconds(900),
  BUILD_SILENCE_SECONDS: seconds(600),
  BUILD_MEMORY_MB: count(2048, 1_048_576),
  BUILD_CPUS: z.coerce
    .number('must be a number of CPUs')
    .min(0.1, 'must be at least 0.1')
    .max(256, 'must be at most 256')
    .default(2),
  BUILD_PIDS: whole(512, { min: 16, max: 4_194_304, of: 'processes' }),
  BUILD_DISK_MB: count(10_240, 1_048_576),
  ...registrySchema,
  CONTEXT_MAX_MB: count(2048, 102_400),
  DISK_FLOOR_MB: whole(2048, { min: 0, max: 1_048_576, of: 'a number of MB' }),
  BUILD_CACHE_MAX_MB: whole(5120, { min: 0, max: 1_048_576, of: 'a number of MB' }),
  MIRRORS_MAX_MB: whole(5120, { min: 0, max: 1_048_576, of: 'a number of MB' }),
  GATE_TIMEOUT_SECONDS: seconds(60, 3600),
  WATCH_SECONDS: seconds(10, 600),
  STOP_GRACE_SECONDS: seconds(10, 600),
  RELEASE_TIMEOUT_SECONDS: seconds(600),
  RUNTIME_LOG_MAX_MB: count(50, 102_400),
  RUNTIME_LOG_MAX_DAYS: count(7, 3650),
  BUILD_LOG_MAX_DAYS: count(30, 3650),
  CORS_ORIGINS: list.refine((origins) => !origins.includes('*'), 'must name exact origins, never *'),
  TRUSTED_PROXIES: list
    .default(['loopback'])
    .refine(
      (proxies) => proxies.every(isProxy),
      'must be addresses, CIDRs, or loopback, linklocal, uniquelocal, gateway',
    ),
  RATE_LIMIT_REQUESTS: count(1200, 1_000_000),
  RATE_LIMIT_DEPLOYS: count(60, 1_000_000),
  RATE_LIMIT_SIGN_INS: count(20, 1_000_000),
  RATE_LIMIT_WEBHOOKS: count(600, 1_000_000),
  STREAMS_PER_USER: count(100, 100_000),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'must be a pino level')
    .default('info'),
  NODE_ENV: z.string().optional(),
  FAULT_AT: z.string().optional(),
});

/** Without a token, to be reached from this host only is all the protection there is. Also for `start-settings.ts`. */
export function refuseToBePublic(
  of: { publicUrl: string | undefined; apiAddress: string },
  context: z.core.$RefinementCtx,
): void {
  if (of.publicUrl !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['PUBLIC_URL'],
      message: 'must not be set with AUTH=none: without a token nobody else may reach the API',
    });
  }
  // Not another loopback address: its name would have to be let through in the Host header too.
  if (of.apiAddress !== '127.0.0.1') {
    context.addIssue({
      code: 'custom',
      path: ['API_ADDRESS'],
      message: 'must be 127.0.0.1 with AUTH=none: without a token nobody else may reach the API',
    });
  }
}

/** Zod checks what is between settings only when each is right by itself; one start shall tell everything. */
const evenIfOthersAreWrong = (...names: string[]) => ({
  when: ({ issues }: z.core.ParsePayload) => !issues.some((issue) => names.includes(String(issue.path?.[0]))),
});

const settings = schema
  .refine(({ PORT, FALLBACK_PORT, HTTP_PORT }) => new Set([PORT, FALLBACK_PORT, HTTP_PORT]).size === 3, {
    path: ['PORT'],
    message: 'must differ from HTTP_PORT and FALLBACK_PORT, and they from each other',
    ...evenIfOthersAreWrong('PORT', 'FALLBACK_PORT', 'HTTP_PORT'),
  })
  .refine(({ ENCRYPTION_KEY, SESSION_SECRET }) => ENCRYPTION_KEY !== SESSION_SECRET, {
    path: ['SESSION_SECRET'],
    message: `must differ from ENCRYPTION_KEY; ${MAKE_ONE}`,
    ...evenIfOthersAreWrong('ENCRYPTION_KEY', 'SESSION_SECRET'),
  })
  .superRefine(askForWholeGithub, evenIfOthersAreWrong(...Object.keys(githubSchema)))
  .superRefine(askForWholeRegistry, evenIfOthersAreWrong(...Object.keys(registrySchema)))
  .superRefine(
    ({ AUTH, PUBLIC_URL, API_ADDRESS }, context) => {
      if (AUTH === 'none') refuseToBePublic({ publicUrl: PUBLIC_URL, apiAddress: API_ADDRESS }, context);
    },
    evenIfOthersAreWrong('AUTH', 'PUBLIC_URL', 'API_ADDRESS'),
  );

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
  const value = parse(settings, environment);
  const dataDir = value.DATA_DIR ?? defaultDataDir(process.getuid?.() === 0);
  const publicUrl = (value.PUBLIC_URL ?? ownUrl(value)).replace(/\/+$/, '');
  return Object.freeze({
    dataDir,
    databaseUrl: new Secret(value.DATABASE_URL),
    dockerHost: value.DOCKER_HOST,
    auth: value.AUTH,
    baseDomain: value.BASE_DOMAIN,
    publicUrl,
    apiPort: value.PORT,
    apiAddress: value.API_ADDRESS,
    fallbackPort: value.FALLBACK_PORT,
    fallbackAddress: value.FALLBACK_ADDRESS,
    httpPort: value.HTTP_PORT,
    traefikApiUrl: value.TRAEFIK_API_URL.replace(/\/+$/, ''),
    traefikConfigDir: value.TRAEFIK_CONFIG_DIR ?? null,
    pollIntervalMs: value.POLL_INTERVAL_MS,
    notify: value.QUEUE_NOTIFY,
    workerConcurrency: value.WORKER_CONCURRENCY,
    leaseSeconds: value.LEASE_SECONDS,
    workDir: value.WORK_DIR ?? join(dataDir, 'work'),
    mirrorDir: join(dataDir, 'mirrors'),
    gateDir: join(dataDir, 'gate'),
    gateTool: value.GATE_TOOL ?? null,
    networkPool: value.NETWORK_POOL,
    encryptionKey: new Secret(value.ENCRYPTION_KEY),
    oldEncryptionKeys: value.OLD_ENCRYPTION_KEYS.map((key) => new Secret(key)),
    sessionSecret: new Secret(value.SESSION_SECRET),
    sessionIdleHours: value.SESSION_IDLE_HOURS,
    sessionMaxDays: value.SESSION_MAX_DAYS,
    github: githubSettings(value, publicUrl),
    gitAllowedHosts: value.GIT_ALLOWED_HOSTS,
    gitPrivateHosts: value.GIT_PRIVATE_HOSTS,
    cloneTimeoutSeconds: value.CLONE_TIMEOUT_SECONDS,
    cloneMaxMb: value.CLONE_MAX_MB,
    baseImages: {
      node: value.NODE_IMAGE,
      python: value.PYTHON_IMAGE,
      go: value.GO_IMAGE,
      static: value.STATIC_IMAGE,
    },
    buildTimeoutSeconds: value.BUILD_TIMEOUT_SECONDS,
    buildMemoryMb: value.BUILD_MEMORY_MB,
    buildCpus: value.BUILD_CPUS,
    buildSilenceSeconds: value.BUILD_SILENCE_SECONDS,
    buildPids: value.BUILD_PIDS,
    buildDiskMb: value.BUILD_DISK_MB,
    registry: registrySettings(value),
    contextMaxMb: value.CONTEXT_MAX_MB,
    buildKitImage: value.BUILDKIT_IMAGE === 'none' ? null : value.BUILDKIT_IMAGE,
    buildKitCacheMb: value.BUILDKIT_CACHE_MB,
    diskFloorMb: value.DISK_FLOOR_MB,
    buildCacheMaxMb: value.BUILD_CACHE_MAX_MB,
    mirrorsMaxMb: value.MIRRORS_MAX_MB,
    gateTimeoutSeconds: value.GATE_TIMEOUT_SECONDS,
    watchSeconds: value.WATCH_SECONDS,
    stopGraceSeconds: value.STOP_GRACE_SECONDS,
    releaseTimeoutSeconds: value.RELEASE_TIMEOUT_SECONDS,
    runtimeLogMaxMb: value.RUNTIME_LOG_MAX_MB,
    runtimeLogMaxDays: value.RUNTIME_LOG_MAX_DAYS,
    buildLogMaxDays: value.BUILD_LOG_MAX_DAYS,
    corsOrigins: value.CORS_ORIGINS,
    trustedProxies: value.TRUSTED_PROXIES.flatMap((proxy) =>
      proxy === GATEWAY ? (defaultGateway() ?? []) : [proxy],
    ),
    rateLimits: {
      requests: value.RATE_LIMIT_REQUESTS,
      deploys: value.RATE_LIMIT_DEPLOYS,
      signIns: value.RATE_LIMIT_SIGN_INS,
      webhooks: value.RATE_LIMIT_WEBHOOKS,
      streamsPerUser: value.STREAMS_PER_USER,
    },
    logLevel: value.LOG_LEVEL,
    faultAt: value.NODE_ENV === 'test' ? (value.FAULT_AT ?? null) : null,
  });
}

/** The proxy's route to the API; with AUTH=none there is none. */
function ownUrl(value: z.output<typeof settings>): string {
  return value.AUTH === 'none'
    ? `http://localhost:${value.PORT}`
    : `http://berth.${value.BASE_DOMAIN}:${value.HTTP_PORT}`;
}

/** For a change of keys: the database, and the keys. @throws InvalidConfig */
export function loadKeySettings(
  environment: Environment = process.env,
): Pick<Config, 'databaseUrl' | 'encryptionKey' | 'oldEncryptionKeys'> {
  const part = schema.pick({ DATABASE_URL: true, ENCRYPTION_KEY: true, OLD_ENCRYPTION_KEYS: true });
  const value = parse(part, environment);
  return {
    databaseUrl: new Secret(value.DATABASE_URL),
    encryptionKey: new Secret(value.ENCRYPTION_KEY),
    oldEncryptionKeys: value.OLD_ENCRYPTION_KEYS.map((key) => new Secret(key)),
  };
}

/** For what needs the database and nothing else, such as applying migrations. @throws InvalidConfig */
export function loadDatabaseUrl(environment: Environment = process.env): Secret {
  return new Secret(parse(schema.pick({ DATABASE_URL: true }), environment).DATABASE_URL);
}

function parse<T>(schemaOrPart: z.ZodType<T>, environment: Environment): T {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schemaOrPart.safeParse(present);
  if (parsed.success) return parsed.data;
  // One line for each setting: its first problem, from which the others mostly follow.
  const problems = new Map(
    parsed.error.issues.toReversed().map((issue) => [issue.path.join('.'), issue.message]),
  );
  throw new InvalidConfig([...problems].toReversed().map(([name, problem]) => `${name} ${problem}`));
}
