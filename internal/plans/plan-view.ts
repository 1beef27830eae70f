import { z } from 'zod';
import { FRAMEWORKS } from '../apps/framework.ts';
import type { BuildPlanRequest } from '../db/database.ts';
import { id, time } from '../openapi/schemas.ts';

/** What a worker answers, and the row keeps. */
export const planResultSchema = z.object({
  framework: z.enum(['dockerfile', ...FRAMEWORKS]),
  commit_sha: z.string(),
  branch: z.string(),
  /** One sentence. */
  why: z.string(),
  build_command: z.string().nullable(),
  start_command: z.string().nullable(),
  port: z.int().nullable(),
  dockerfile: z.string().nullable(),
});
export type PlanResult = z.infer<typeof planResultSchema>;

export const planSchema = z
  .object({
    id,
    status: z.enum(['pending', 'planning', 'done', 'failed']),
    repo_url: z.string(),
    branch: z.string().nullable(),
    root_directory: z.string(),
    result: planResultSchema.nullable().meta({
      description: 'Null until it is `done`. `dockerfile` is null where the repository brings its own.',
    }),
    failure_code: z.string().nullable(),
    failure_reason: z.string().nullable(),
    created_at: time,
    finished_at: time.nullable(),
  })
  .meta({
    id: 'Plan',
    examples: [
      {
        id: 'p5n3ahq2xd',
        status: 'done',
        repo_url: 'https://github.com/acme/shop',
        branch: null,
        root_directory: '.',
        result: {
          framework: 'express',
          commit_sha: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123',
          branch: 'main',
          why: 'There is no Dockerfile; package.json says express, npm ci by package-lock.json.',
          build_command: null,
          start_command: 'node server.js',
          port: null,
          dockerfile: 'FROM node:22-slim AS build\n…',
        },
        failure_code: null,
        failure_reason: null,
        created_at: '2026-11-21T10:00:00.000Z',
        finished_at: '2026-11-21T10:00:02.100Z',
      },
    ],
  });

export function viewPlan(plan: BuildPlanRequest): z.input<typeof planSchema> {
  return {
    id: plan.id,
    status: planSchema.shape.status.parse(plan.status),
    repo_url: plan.repoUrl,
    branch: plan.branch,
    root_directory: plan.rootDirectory,
    result: plan.result === null ? null : planResultSchema.parse(plan.result),
    failure_code: plan.failureCode,
    failure_reason: plan.failureReason,
    created_at: plan.createdAt.toISOString(),
    finished_at: plan.finishedAt?.toISOString() ?? null,
  };
}
