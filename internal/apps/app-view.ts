import { z } from 'zod';
import { DeploymentStatus } from '../db/generated/enums.ts';
import { id, time } from '../openapi/schemas.ts';
import { APP_STATUSES, appStatus } from './app-status.ts';
import type { AppWithState } from './app-store.ts';
import { type AppEntryPoint, urlOf } from './app-url.ts';
import { frameworkChoice } from './framework.ts';

export const appSchema = z
  .object({
    id,
    name: z.string(),
    project: z.string(),
    project_id: id,
    status: z.enum(APP_STATUSES).meta({ description: 'Derived from its deployments.' }),
    live_deployment_id: id.nullable(),
    health: z.object({ restarts: z.int(), since: time, last_cause: z.string().nullable() }).nullable().meta({
      description:
        'How often the live release had to be started again since then, and why the last time. Null: never.',
    }),
    latest_deployment: z.object({ id, status: z.enum(DeploymentStatus) }).nullable(),
    url: z.string().nullable(),
    internal_url: z.string().meta({ description: 'For other apps of the same project.' }),
    hosts: z.array(z.string()),
    pending_changes: z.array(z.string()).meta({
      description: 'Settings that the live release does not have yet; the next deployment brings them.',
    }),
    repo_url: z.string(),
    branch: z.string().nullable(),
    port: z.int().nullable(),
    root_directory: z.string(),
    dockerfile_path: z.string().nullable(),
    build_command: z.string().nullable(),
    start_command: z.string().nullable(),
    framework: frameworkChoice,
    detected_framework: z.string().nullable().meta({
      description: 'As what the last build built it: a framework, or `dockerfile`. Null before the first.',
    }),
    output_directory: z.string().nullable(),
    docker_target: z.string().nullable(),
    release_command: z.string().nullable(),
    health_check_path: z.string().nullable(),
    replicas: z.int(),
    memory_mb: z.int(),
    pids_limit: z.int(),
    build_memory_mb: z.int().nullable(),
    build_timeout_seconds: z.int().nullable(),
    build_silence_seconds: z.int().nullable(),
    build_cpus: z.number().nullable(),
    build_pids: z.int().nullable(),
    build_disk_mb: z.int().nullable(),
    cpus: z.number(),
    drain_seconds: z.int(),
    auto_deploy: z.boolean(),
    auto_deploy_held_since: time.nullable().meta({
      description: 'Set by a rollback: pushes deploy nothing until `POST /apps/:id/resume`.',
    }),
    restart_unresponsive: z.boolean(),
    submodules: z.boolean(),
    lfs: z.boolean(),
    watch_paths: z.array(z.string()),
    created_at: time,
    updated_at: time,
  })
  .meta({
    id: 'App',
    examples: [
      {
        id: 'k3v5ahq2xd',
        name: 'shop',
        project: 'default',
        project_id: 'b7mzq4rt2c',
        status: 'active',
        live_deployment_id: 'q6wlnf4j3e',
        health: null,
        latest_deployment: { id: 'q6wlnf4j3e', status: 'live' },
        url: 'http://shop.apps.example.org',
        internal_url: 'http://shop:3000',
        hosts: ['shop.apps.example.org'],
        pending_changes: [],
        repo_url: 'https://github.com/acme/shop',
        branch: 'main',
        port: 3000,
        root_directory: '.',
        dockerfile_path: null,
        build_command: null,
        start_command: null,
        framework: 'auto',
        detected_framework: 'express',
        output_directory: null,
        docker_target: null,
        release_command: null,
        health_check_path: '/health',
        replicas: 1,
        memory_mb: 512,
        pids_limit: 512,
        build_memory_mb: null,
        build_timeout_seconds: null,
        build_silence_seconds: null,
        build_cpus: null,
        build_pids: null,
        build_disk_mb: null,
        cpus: 1,
        drain_seconds: 10,
        auto_deploy: true,
        auto_deploy_held_since: null,
        restart_unresponsive: false,
        submodules: false,
        lfs: false,
        watch_paths: [],
        created_at: '2026-11-20T10:00:00.000Z',
        updated_at: '2026-11-20T10:00:00.000Z',
      },
    ],
  });

/** The app as the API shows it. Its pending changes are judged by who can read a release's sealed settings. */
export function viewApp(
  app: AppWithState,
  pendingChanges: readonly string[],
  entryPoint: AppEntryPoint,
): z.input<typeof appSchema> {
  const hosts = app.hosts.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  const main = hosts.find(({ kind }) => kind === 'generated') ?? hosts[0];
  return {
    id: app.id,
    name: app.name,
    project: app.project.name,
    project_id: app.project.id,
    status: appStatus(app, app.latest),
    live_deployment_id: app.liveDeploymentId,
    health: viewHealth(app.liveDeployment?.health ?? null),
    latest_deployment: app.latest,
    url: main ? urlOf(main.host, entryPoint) : null,
    internal_url: `http://${app.name}:${app.liveDeployment?.port ?? app.port ?? 80}`,
    hosts: hosts.map(({ host }) => host),
    pending_changes: [...pendingChanges],
    repo_url: app.repoUrl,
    branch: app.branch,
    port: app.port,
    root_directory: app.rootDirectory,
    dockerfile_path: app.dockerfilePath,
    build_command: app.buildCommand,
    start_command: app.startCommand,
    framework: frameworkChoice.catch('auto').parse(app.framework),
    detected_framework: app.detectedFramework,
    output_directory: app.outputDirectory,
    docker_target: app.dockerTarget,
    release_command: app.releaseCommand,
    health_check_path: app.healthCheckPath,
    replicas: app.replicas,
    memory_mb: app.memoryMb,
    pids_limit: app.pidsLimit,
    build_memory_mb: app.buildMemoryMb,
    build_timeout_seconds: app.buildTimeoutSeconds,
    build_silence_seconds: app.buildSilenceSeconds,
    build_cpus: app.buildCpus,
    build_pids: app.buildPids,
    build_disk_mb: app.buildDiskMb,
    cpus: app.cpus,
    drain_seconds: app.drainSeconds,
    auto_deploy: app.autoDeploy,
    auto_deploy_held_since: app.autoDeployHeldSince?.toISOString() ?? null,
    restart_unresponsive: app.restartUnresponsive,
    submodules: app.submodules,
    lfs: app.lfs,
    watch_paths: app.watchPaths,
    created_at: app.createdAt.toISOString(),
    updated_at: app.updatedAt.toISOString(),
  };
}

function viewHealth(
  health: NonNullable<AppWithState['liveDeployment']>['health'],
): z.input<typeof appSchema>['health'] {
  if (health === null) return null;
  const { restarts, windowStart, lastCause } = health;
  return { restarts, since: windowStart.toISOString(), last_cause: lastCause };
}
