/**
 * Why a deployment may end `failed`: code → whose cause it is and what to do about it.
 * `user`: the repository or its settings, never tried again by itself. `platform`: ours, tried again up to three times.
 */
export const FAILURES = {
  clone_failed: { cause: 'user', advice: 'Check the repository URL and that the platform may read it.' },
  clone_unauthorized: {
    cause: 'user',
    advice:
      'Connect GitHub and let it cover the repository, or add a deploy key to the app; then deploy again.',
  },
  repository_moved: { cause: 'user', advice: 'Set repo_url to the address where the repository is now.' },
  clone_timeout: { cause: 'platform', advice: 'The Git host did not answer in time; try again later.' },
  git_host_unavailable: {
    cause: 'platform',
    advice: 'The Git host cannot be reached now; try again later.',
  },
  clone_too_large: { cause: 'user', advice: 'Make the repository smaller or raise CLONE_MAX_MB.' },
  clone_forbidden: { cause: 'user', advice: 'Use an https URL of an allowed public host.' },
  lfs_failed: {
    cause: 'user',
    advice: 'Push the files of LFS to the Git host (git lfs push --all origin), or turn lfs off.',
  },
  branch_not_found: { cause: 'user', advice: 'Push the branch, or set another one on the app.' },
  commit_not_found: { cause: 'user', advice: 'Push the commit, or deploy another one.' },
  repository_empty: { cause: 'user', advice: 'Push a first commit.' },
  invalid_ref: {
    cause: 'user',
    advice: 'Use a branch name that Git accepts, without spaces or leading dashes.',
  },
  root_directory_missing: { cause: 'user', advice: 'Set root_directory to a folder of the repository.' },
  dockerfile_missing: { cause: 'user', advice: 'Add a Dockerfile, or set dockerfile_path.' },
  dockerfile_invalid: {
    cause: 'user',
    advice: 'Keep the Dockerfile a regular file of the repository, and build from public images only.',
  },
  stack_not_recognised: {
    cause: 'user',
    advice: 'Add a Dockerfile, or set framework, root_directory or start_command on the app.',
  },
  context_invalid: { cause: 'user', advice: 'Remove what the message names from the repository.' },
  context_too_large: { cause: 'user', advice: 'List what the build does not need in .dockerignore.' },
  base_image_unavailable: {
    cause: 'user',
    advice: 'Check the image name after FROM and that this machine can pull it.',
  },
  build_failed: {
    cause: 'user',
    advice: 'Read the last lines of the build log; the same build fails by hand too.',
  },
  build_timeout: {
    cause: 'user',
    advice: 'Make the build faster, or raise build_timeout_seconds of the app or BUILD_TIMEOUT_SECONDS.',
  },
  build_silent: {
    cause: 'user',
    advice:
      'Let the step end by itself or write now and then; or raise build_silence_seconds of the app or BUILD_SILENCE_SECONDS.',
  },
  build_out_of_memory: {
    cause: 'user',
    advice: 'Make the build use less memory, or raise build_memory_mb of the app or BUILD_MEMORY_MB.',
  },
  build_too_many_processes: {
    cause: 'user',
    advice: 'Let the build run fewer jobs at once, or raise build_pids of the app or BUILD_PIDS.',
  },
  build_disk_exceeded: {
    cause: 'user',
    advice: 'Make the build write less, or raise build_disk_mb of the app or BUILD_DISK_MB.',
  },
  image_label_forbidden: {
    cause: 'user',
    advice:
      'Remove LABEL entries that begin with traefik., berth. or com.docker.compose. (also in the base image).',
  },
  registry_push_failed: {
    cause: 'platform',
    advice: 'The image is built: once the registry takes it, deploy again, and it is pushed without a build.',
  },
  image_missing: { cause: 'user', advice: 'Deploy again; the image will be built anew.' },
  release_command_failed: {
    cause: 'user',
    advice: 'Read what it wrote in the log; the release before goes on.',
  },
  release_command_timeout: {
    cause: 'user',
    advice: 'Make the release command faster or raise RELEASE_TIMEOUT_SECONDS.',
  },
  image_start_failed: {
    cause: 'user',
    advice: 'Check CMD and ENTRYPOINT: the container could not be started.',
  },
  exited_early: { cause: 'user', advice: 'Read the last log lines: the process ended before it was ready.' },
  crash_loop: {
    cause: 'user',
    advice: 'Read the last log lines; Docker goes on starting it. Deploy a fix, or roll back.',
  },
  out_of_memory: { cause: 'user', advice: 'Raise memory_mb of the app, or make it use less.' },
  port_not_listening: { cause: 'user', advice: 'Listen on the port in $PORT, or set port on the app.' },
  listens_on_loopback: { cause: 'user', advice: 'Listen on 0.0.0.0 (or ::) instead of 127.0.0.1.' },
  listens_on_other_port: {
    cause: 'user',
    advice: 'Set port on the app to the one it listens on, or read $PORT.',
  },
  health_check_failed: { cause: 'user', advice: 'Make health_check_path answer 200–399 within 60 seconds.' },
  gate_cannot_run: {
    cause: 'user',
    advice: 'Docker could not run the health check; raise the limits of the app.',
  },
  route_not_active: { cause: 'platform', advice: 'Traefik did not take the route; check that it runs.' },
  disk_full: {
    cause: 'platform',
    advice: 'Free disk space on the host, then deploy again: docker system df shows what takes it.',
  },
  clone_disk_full: {
    cause: 'platform',
    advice:
      'Free space or inodes where WORK_DIR lies, then deploy again: df -h and df -i show which are short.',
  },
  docker_unavailable: { cause: 'platform', advice: 'Check that the Docker daemon runs.' },
  database_unavailable: {
    cause: 'platform',
    advice: 'Check that Postgres runs, and that its disk is not full; then deploy again.',
  },
  worker_lost: {
    cause: 'platform',
    advice: 'The worker ended three times during this deployment; see its log.',
  },
  internal: { cause: 'platform', advice: 'This is a fault of the platform; its log has the details.' },
} as const satisfies Record<string, { cause: 'user' | 'platform'; advice: string }>;

export type FailureCode = keyof typeof FAILURES;

/** What a failed candidate left behind for the reader. */
export interface FailureEvidence {
  readonly exitCode?: number;
  readonly outOfMemory?: boolean;
  /** The last lines the candidate wrote, oldest first. */
  readonly logTail?: readonly string[];
}

/** Ends a deployment as `failed`. `reason` is one sentence a person can act on, without secrets or host paths. */
export class DeploymentFailed extends Error {
  override readonly name = 'DeploymentFailed';
  readonly code: FailureCode;
  readonly evidence: FailureEvidence;
  /** Whether trying again may help, where that hangs on more than the code. */
  readonly mayPass: boolean | undefined;

  constructor(
    code: FailureCode,
    reason: string,
    options: { evidence?: FailureEvidence; cause?: unknown; mayPass?: boolean | undefined } = {},
  ) {
    super(reason, { cause: options.cause });
    this.code = code;
    this.evidence = options.evidence ?? {};
    this.mayPass = options.mayPass;
  }

  get advice(): string {
    return FAILURES[this.code].advice;
  }
}
