/** Field → its other spellings in request bodies. All of them are here; answers know the field's one name only. */
const SPELLINGS = {
  repo_url: ['repoUrl', 'github_url'],
  port: ['internalPort', 'internal_port'],
  build_command: ['buildCommand'],
  start_command: ['startCommand'],
  framework: ['app_type', 'appType'],
  output_directory: ['outputDirectory'],
  release_command: ['releaseCommand'],
  dockerfile_path: ['dockerfilePath'],
  project_id: ['projectId'],
  auto_deploy: ['autoDeploy'],
  watch_paths: ['watchPaths'],
} as const;

/** Of a body with the fields of an app: alias → field. */
export const APP_ALIASES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(SPELLINGS).flatMap(([field, aliases]) => aliases.map((alias) => [alias, field])),
);

/** Of `POST /apps/:id/deploy`. */
export const DEPLOY_ALIASES: Readonly<Record<string, string>> = {
  commitSha: 'commit_sha',
  noCache: 'no_cache',
  rebuild: 'no_cache',
};

/** Of `POST /deployments`, which calls the repository `repo`. */
export const QUICK_DEPLOY_ALIASES: Readonly<Record<string, string>> = Object.fromEntries([
  ...['repo_url', ...SPELLINGS.repo_url].map((alias) => [alias, 'repo']),
  ...SPELLINGS.port.map((alias) => [alias, 'port']),
  ...SPELLINGS.project_id.map((alias) => [alias, 'project_id']),
]);
