import { z } from 'zod';
import { DeploymentStatus, DeploymentTrigger } from '../db/generated/enums.ts';
import { id, time } from '../openapi/schemas.ts';
import type { ListedRelease } from './release-reads.ts';

export const releaseSchema = z
  .object({
    deployment_id: id,
    status: z.enum(DeploymentStatus),
    trigger: z.enum(DeploymentTrigger),
    is_live: z.boolean(),
    image_from: id.nullable().meta({ description: 'The release it was made from, instead of new code.' }),
    branch: z.string().nullable(),
    commit_sha: z.string().nullable(),
    commit_message: z.string().nullable(),
    image_id: z.string().nullable(),
    image_tag: z.string().nullable().meta({ description: 'Null once the image is gone from the machine.' }),
    live_at: time,
    finished_at: time.nullable(),
    rollback_possible: z.boolean(),
    rollback_obstacle: z.string().nullable().meta({ description: 'Why not, as a sentence.' }),
  })
  .meta({
    id: 'Release',
    description: 'A deployment that went live.',
    examples: [
      {
        deployment_id: 'q6wlnf4j3e',
        status: 'retired',
        trigger: 'push',
        is_live: false,
        image_from: null,
        branch: 'main',
        commit_sha: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123',
        commit_message: 'Greet visitors',
        image_id: 'sha256:9b1c',
        image_tag: 'berth/shop:q6wlnf4j3e',
        live_at: '2026-11-20T10:00:12.300Z',
        finished_at: '2026-11-20T11:00:00.000Z',
        rollback_possible: true,
        rollback_obstacle: null,
      },
    ],
  });

export function viewRelease(row: ListedRelease): z.input<typeof releaseSchema> {
  return {
    deployment_id: row.id,
    status: row.status,
    trigger: row.trigger,
    is_live: row.isLive,
    image_from: row.imageFromId,
    branch: row.branch,
    commit_sha: row.commitSha,
    commit_message: row.commitMessage,
    image_id: row.imageId,
    image_tag: row.imageTag,
    // A release is what went live.
    live_at: (row.liveAt ?? row.createdAt).toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
    rollback_possible: row.obstacle === null,
    rollback_obstacle: row.obstacle,
  };
}
