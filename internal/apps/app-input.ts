import { z } from 'zod';
import type { App } from '../db/database.ts';
import { hostLabel, id } from '../openapi/schemas.ts';
import { isAppName, MAX_APP_NAME } from '../routing/hosts.ts';
import { frameworkChoice } from './framework.ts';
import { isBranchName, MAX_BRANCH_NAME } from './git-ref.ts';
import type { NewEnvironment } from './new-environment.ts';
import { isRepoPath, MAX_REPO_PATH } from './repo-path.ts';
import { parseRepoUrl, type RepoUrlPolicy } from './repo-url.ts';
import { isWatchPath, MAX_WATCH_PATHS } from './watch-path.ts';

export const appName = hostLabel(
  isAppName,
  MAX_APP_NAME,
  'Part of its host name, so a DNS label. It cannot be changed later.',
);

export const branchName = z
  .string()
  .refine(isBranchName, 'must be a branch name of letters, digits and . _ / + # @ = , -')
  .meta({
    description: 'Null: `main`, else the default branch of the remote.',
    minLength: 1,
    maxLength: MAX_BRANCH_NAME,
  });

export const port = z
  .int()
  .min(1)
  .max(65_535)
  .meta({ description: 'Where the app listens. Null: the single EXPOSE of its Dockerfile, else 80.' });

/** The URL as it goes to Git, rebuilt from its parts. */
export function repoUrl(policy: RepoUrlPolicy) {
  return z
    .string()
    .transform((text, context) => {
      const parsed = parseRepoUrl(text, policy);
      if (parsed.ok) return parsed.url;
      context.addIssue({ code: 'custom', message: parsed.problem });
      return z.NEVER;
    })
    .meta({
      type: 'string',
      minLength: 1,
      description: 'An https URL of an allowed host, or `owner/name` of GitHub.',
    });
}

export const repoPath = z
  .string()
  .refine(isRepoPath, 'must be a relative path inside the repository, without ".." or back-slashes')
  .meta({ minLength: 1, maxLength: MAX_REPO_PATH });
const commandLine = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => !/\p{Cc}/u.test(text), 'must be one line without control characters');
// No `//` at the start: a URL built from it would name another host.
const urlPath = z
  .string()
  .max(500)
  .regex(/^\/(?![/\\])[\x21\x22\x24-\x7e]*$/, 'must be a path such as /health')
  .refine((text) => !text.split(/[/?]/).includes('..'), 'must hold no ".."');
const watchPath = z
  .string()
  .refine(isWatchPath, 'must be a pattern of paths such as apps/web, apps/*/src, **/*.sql or !docs')
  .meta({ minLength: 1, maxLength: MAX_REPO_PATH + 1 });

const optionalSettings = {
  branch: branchName.nullable().optional(),
  port: port.nullable().optional(),
  root_directory: repoPath.optional().meta({ description: 'Folder of the repository that is built.' }),
  dockerfile_path: repoPath
    .nullable()
    .optional()
    .meta({ description: 'Relative to root_directory. Null: `Dockerfile`, else a generated one.' }),
  build_command: commandLine.nullable().optional(),
  start_command: commandLine
    .nullable()
    .optional()
    .meta({ description: 'What the container runs; with a Dockerfile it stands in for its CMD.' }),
  framework: frameworkChoice
    .optional()
    .meta({ description: 'What to build it as, where there is no Dockerfile.' }),
  output_directory: repoPath
    .nullable()
    .optional()
    .meta({ description: 'Where the build puts the files of a static site; they are served by nginx then.' }),
  docker_target: z
    .string()
    .regex(/^[a-z][\w.-]{0,99}$/i, 'must be the name of a stage')
    .nullable()
    .optional()
    .meta({ description: 'The stage of the Dockerfile to build. Null: its last.' }),
  release_command: commandLine.nullable().optional().meta({
    description:
      'Run once in the new image, with its environment, before its first container starts: migrations.',
  }),
  health_check_path: urlPath.nullable().optional().meta({
    description: 'Must answer 200–399 before a release goes live. Null: the port is watched instead.',
  }),
  replicas: z.int().min(1).max(16).optional(),
  memory_mb: z.int().min(16).max(1_048_576).optional(),
  pids_limit: z
    .int()
    .min(16)
    .max(32_768)
    .optional()
    .meta({ description: 'Processes and threads of a container.' }),
  build_memory_mb: z
    .int()
    .min(64)
    .max(1_048_576)
    .nullable()
    .optional()
    .meta({ description: 'Of its builds, at most what the platform allows. Null: that.' }),
  build_timeout_seconds: z.int().min(10).max(86_400).nullable().optional().meta({
    description: 'Of its builds, at most what the platform allows. Null: that.',
  }),
  build_silence_seconds: z.int().min(10).max(86_400).nullable().optional().meta({
    description: 'How long its builds may say nothing, at most what the platform allows. Null: that.',
  }),
  build_cpus: z
    .number()
    .min(0.1)
    .max(256)
    .nullable()
    .optional()
    .meta({ description: 'Of its builds, at most what the platform allows. Null: that.' }),
  build_pids: z.int().min(16).max(4_194_304).nullable().optional().meta({
    description:
      'Processes and threads of a step of its builds, at most what the platform allows. Null: that.',
  }),
  build_disk_mb: z.int().min(16).max(1_048_576).nullable().optional().meta({
    description: 'What its builds may write, at most what the platform allows. Null: that.',
  }),
  cpus: z.number().min(0.05).max(256).optional(),
  drain_seconds: z
    .int()
    .min(0)
    .max(300)
    .optional()
    .meta({ description: 'How long requests of the previous release may take to end.' }),
  auto_deploy: z.boolean().optional().meta({ description: 'Whether a push to its branch deploys it.' }),
  restart_unresponsive: z.boolean().optional().meta({
    description:
      'Whether a replica that fails its health_check_path three times in a row, over half a minute, is restarted.',
  }),
  submodules: z
    .boolean()
    .optional()
    .meta({
      description:
        'Whether submodules are cloned too, each under the rules of repo_url and with what the project may read. Without it ' +
        'their folders are empty.',
    }),
  lfs: z.boolean().optional().meta({
    description: 'Whether files of Git LFS are fetched. Without it their pointers stay in their place.',
  }),
  watch_paths: z
    .array(watchPath)
    .max(MAX_WATCH_PATHS)
    .optional()
    .meta({ description: 'A push that touches none of them is ignored. Empty: every push counts.' }),
};

const DEPLOY = { description: 'Queue the first deployment at once.' };

export interface NewAppRules {
  readonly repoUrlPolicy: RepoUrlPolicy;
  readonly environment: Pick<NewEnvironment, 'schema'>;
}

function newApp({ repoUrlPolicy, environment }: NewAppRules) {
  return {
    name: appName,
    repo_url: repoUrl(repoUrlPolicy),
    ...optionalSettings,
    env: environment.schema.optional().meta({
      description:
        'Its environment: an object of key and value, or a list of `key`, `value` and `scope`. Stored before the ' +
        'first deployment is queued, which gets it.',
    }),
  };
}

/** `POST /apps`. */
export function newAppSchema(rules: NewAppRules) {
  return z
    .strictObject({
      ...newApp(rules),
      project_id: id.optional().meta({ description: 'Without it: the project `default`.' }),
      deploy: z.boolean().default(true).meta(DEPLOY),
    })
    .meta({
      id: 'NewApp',
      examples: [
        { name: 'shop', repo_url: 'https://github.com/acme/shop', branch: 'main', port: 3000 },
        { name: 'shop', repo_url: 'acme/shop', env: { LOG_LEVEL: 'debug' } },
      ],
    });
}

/** `POST /projects/:id/apps`. */
export function newProjectAppSchema(rules: NewAppRules) {
  return z.strictObject({ ...newApp(rules), deploy: z.boolean().default(false).meta(DEPLOY) }).meta({
    id: 'NewProjectApp',
    examples: [
      {
        name: 'shop',
        repo_url: 'https://github.com/acme/shop',
        env: [{ key: 'NPM_CONFIG_LOGLEVEL', value: 'warn', scope: 'build' }],
        deploy: true,
      },
    ],
  });
}

export function appChangeSchema(policy: RepoUrlPolicy) {
  return z
    .strictObject({ repo_url: repoUrl(policy).optional(), ...optionalSettings })
    .meta({ id: 'AppChange', examples: [{ port: 8080, health_check_path: '/health' }] });
}

type Settings = z.output<ReturnType<typeof appChangeSchema>>;

const COLUMNS = {
  repo_url: 'repoUrl',
  branch: 'branch',
  port: 'port',
  root_directory: 'rootDirectory',
  dockerfile_path: 'dockerfilePath',
  build_command: 'buildCommand',
  start_command: 'startCommand',
  framework: 'framework',
  output_directory: 'outputDirectory',
  docker_target: 'dockerTarget',
  release_command: 'releaseCommand',
  pids_limit: 'pidsLimit',
  build_memory_mb: 'buildMemoryMb',
  build_timeout_seconds: 'buildTimeoutSeconds',
  build_silence_seconds: 'buildSilenceSeconds',
  build_cpus: 'buildCpus',
  build_pids: 'buildPids',
  build_disk_mb: 'buildDiskMb',
  health_check_path: 'healthCheckPath',
  replicas: 'replicas',
  memory_mb: 'memoryMb',
  cpus: 'cpus',
  drain_seconds: 'drainSeconds',
  auto_deploy: 'autoDeploy',
  watch_paths: 'watchPaths',
  submodules: 'submodules',
  lfs: 'lfs',
  restart_unresponsive: 'restartUnresponsive',
} as const satisfies Record<keyof Settings, keyof App>;

export type AppSettings = Partial<Pick<App, (typeof COLUMNS)[keyof Settings]>>;

/** The fields that were given, by their columns; the rest keeps what it has. */
export function settingsOf(input: Settings): AppSettings {
  const given = Object.entries(COLUMNS).flatMap(([field, column]) => {
    const value = input[field as keyof Settings];
    return value === undefined ? [] : [[column, value]];
  });
  return Object.fromEntries(given) as AppSettings;
}

/** The same the other way: what an app has, by the fields of a request. */
export function fieldsOf(app: App): Record<keyof Settings, App[(typeof COLUMNS)[keyof Settings]]> {
  const had = Object.entries(COLUMNS).map(([field, column]) => [field, app[column]]);
  return Object.fromEntries(had) as ReturnType<typeof fieldsOf>;
}

const LONGEST_NAME_PART = 30;

/** A name for an app from free text such as a repository's, or `app` where nothing of it can stand in a host name. */
export function nameFrom(text: string): string {
  const slug = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, LONGEST_NAME_PART)
    .replace(/-+$/, '');
  return isAppName(slug) ? slug : slug === '' ? 'app' : `app-${slug}`;
}
