import { z } from 'zod';
import { type AppEntryPoint, urlOf } from '../apps/app-url.ts';
import type { StepRun } from '../db/database.ts';
import { DeploymentStatus, DeploymentStep, DeploymentTrigger } from '../db/generated/enums.ts';
import { FAILURES } from '../errors/deployment-failed.ts';
import { id, time } from '../openapi/schemas.ts';
import { deploymentHost } from '../routing/hosts.ts';
import type { ListedDeployment, Waiting } from './deployment-reads.ts';

const listed = {
  id,
  app_id: id,
  app_name: z.string(),
  status: z.enum(DeploymentStatus),
  step: z.enum(DeploymentStep).nullable(),
  trigger: z.enum(DeploymentTrigger),
  branch: z.string().nullable(),
  requested_sha: z.string().nullable(),
  commit_sha: z.string().nullable(),
  commit_message: z.string().nullable(),
  image_id: z.string().nullable(),
  image_tag: z.string().nullable(),
  registry_tag: z
    .string()
    .nullable()
    .meta({ description: 'Its name in the registry; stays there when the machine gives the image up.' }),
  image_reused_from: id.nullable().meta({
    description: 'The deployment that built its image, of the same commit with the same settings.',
  }),
  no_cache: z.boolean().meta({ description: 'A build was asked for in any case, every step anew.' }),
  port: z.int().nullable(),
  url: z
    .string()
    .nullable()
    .meta({ description: 'Reaches exactly this deployment while its containers run.' }),
  attempt: z.int().meta({ description: 'How often a worker has taken it up.' }),
  worker: z
    .string()
    .nullable()
    .meta({ description: 'The worker that has it in hand, by its host, process and a number of its own.' }),
  cancel_requested: z.boolean(),
  failure_code: z.string().nullable(),
  failure_reason: z.string().nullable(),
  failure_advice: z.string().nullable(),
  exit_code: z.int().nullable(),
  out_of_memory: z.boolean().nullable(),
  created_at: time,
  started_at: time.nullable(),
  live_at: time.nullable(),
  finished_at: time.nullable(),
};

const listedExample: z.input<typeof listedDeploymentSchema> = {
  id: 'q6wlnf4j3e',
  app_id: 'k3v5ahq2xd',
  app_name: 'shop',
  status: 'failed',
  step: 'gating',
  trigger: 'manual',
  branch: 'main',
  requested_sha: null,
  commit_sha: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123',
  commit_message: 'Greet visitors',
  image_id: 'sha256:9b1c',
  image_tag: 'berth/shop:q6wlnf4j3e',
  registry_tag: null,
  image_reused_from: null,
  no_cache: false,
  port: 3000,
  url: null,
  attempt: 1,
  worker: null,
  cancel_requested: false,
  failure_code: 'exited_early',
  failure_reason: 'The process ended with exit code 1 before it listened on port 3000.',
  failure_advice: FAILURES.exited_early.advice,
  exit_code: 1,
  out_of_memory: false,
  created_at: '2026-11-20T10:00:00.000Z',
  started_at: '2026-11-20T10:00:00.040Z',
  live_at: null,
  finished_at: '2026-11-20T10:00:12.300Z',
};

export const listedDeploymentSchema = z
  .object(listed)
  .meta({ id: 'ListedDeployment', description: 'A deployment in a list.' });

export const deploymentSchema = z
  .object({
    ...listed,
    queue_position: z.int().nullable().meta({ description: '1 is next; null when it does not wait.' }),
    waiting_for: z.string().nullable(),
    steps: z.array(
      z.object({
        step: z.enum(DeploymentStep),
        attempt: z.int(),
        started_at: time,
        ended_at: time.nullable(),
        seconds: z.number().nullable(),
      }),
    ),
    log_tail: z.array(z.string()).meta({
      description: 'The last lines of the failed candidate, kept after its container is gone.',
    }),
    build_logs: z.string().meta({ description: 'The last 64 KB of its lines; all of them: `/logs`.' }),
  })
  .meta({
    id: 'Deployment',
    examples: [
      {
        ...listedExample,
        queue_position: null,
        waiting_for: null,
        steps: [
          {
            step: 'cloning',
            attempt: 1,
            started_at: '2026-11-20T10:00:00.050Z',
            ended_at: '2026-11-20T10:00:01.250Z',
            seconds: 1.2,
          },
        ],
        log_tail: ['Error: DATABASE_URL is not set'],
        build_logs: 'Cloning main\nStep 1/4 : FROM node:20-slim\n',
      },
    ],
  });

export function viewListedDeployment(
  row: ListedDeployment,
  entryPoint: AppEntryPoint,
): z.input<typeof listedDeploymentSchema> {
  return {
    id: row.id,
    app_id: row.appId,
    app_name: row.app.name,
    status: row.status,
    step: row.step,
    trigger: row.trigger,
    branch: row.branch,
    requested_sha: row.requestedSha,
    commit_sha: row.commitSha,
    commit_message: row.commitMessage,
    image_id: row.imageId,
    image_tag: row.imageTag,
    registry_tag: row.registryTag,
    image_reused_from: row.imageReusedFromId,
    no_cache: row.noCache,
    port: row.port,
    url: mayAnswer(row) ? urlOf(hostOf(row, entryPoint), entryPoint) : null,
    attempt: row.attempt,
    worker: row.leaseOwner,
    cancel_requested: row.cancelRequestedAt !== null,
    failure_code: row.failureCode,
    failure_reason: row.failureReason,
    failure_advice: adviceFor(row.failureCode),
    exit_code: row.exitCode,
    out_of_memory: row.outOfMemory,
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    live_at: row.liveAt?.toISOString() ?? null,
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

export function viewDeployment(
  row: ListedDeployment,
  more: { waiting: Waiting | null; steps: readonly StepRun[]; buildLogs: string },
  entryPoint: AppEntryPoint,
): z.input<typeof deploymentSchema> {
  return {
    ...viewListedDeployment(row, entryPoint),
    queue_position: more.waiting?.position ?? null,
    waiting_for: more.waiting?.reason ?? null,
    steps: more.steps.map(({ step, attempt, startedAt, endedAt }) => ({
      step,
      attempt,
      started_at: startedAt.toISOString(),
      ended_at: endedAt?.toISOString() ?? null,
      seconds: endedAt ? (endedAt.getTime() - startedAt.getTime()) / 1000 : null,
    })),
    log_tail: row.logTail,
    build_logs: more.buildLogs,
  };
}

/** Has it containers, or will it have some? Once it has ended, its own host leads nowhere. */
function mayAnswer({ status }: Pick<ListedDeployment, 'status'>): boolean {
  return status === 'pending' || status === 'building' || status === 'deploying' || status === 'live';
}

function hostOf(row: ListedDeployment, { baseDomain }: AppEntryPoint): string {
  return deploymentHost({ appName: row.app.name, deploymentId: row.id, baseDomain });
}

function adviceFor(code: string | null): string | null {
  return code !== null && Object.hasOwn(FAILURES, code)
    ? FAILURES[code as keyof typeof FAILURES].advice
    : null;
}
