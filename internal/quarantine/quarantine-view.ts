import { z } from 'zod';
import type { QuarantinedContainer } from '../db/database.ts';
import { time } from '../openapi/schemas.ts';
import { KEPT_DAYS } from './quarantine-store.ts';

/** A container's id, as Docker gives them. */
export const EXAMPLE_ID = '0f'.repeat(32);
const DAY_MS = 24 * 60 * 60 * 1000;

export const quarantinedSchema = z
  .object({
    container_id: z.string(),
    container_name: z.string(),
    app_id: z.string(),
    deployment_id: z.string(),
    reason: z.string(),
    since: time,
    removed_after: time,
  })
  .meta({
    id: 'QuarantinedContainer',
    description: 'A container of this installation that no row explains: stopped, and kept for a while.',
    examples: [
      {
        container_id: EXAMPLE_ID,
        container_name: 'shop-q6wlnf4j3e',
        app_id: 'k3v5ahq2xd',
        deployment_id: 'q6wlnf4j3e',
        reason: 'No row knows its deployment.',
        since: '2026-11-20T10:00:00.000Z',
        removed_after: '2026-11-27T10:00:00.000Z',
      },
    ],
  });

export function viewQuarantined(row: QuarantinedContainer): z.input<typeof quarantinedSchema> {
  return {
    container_id: row.containerId,
    container_name: row.containerName,
    app_id: row.appId,
    deployment_id: row.deploymentId,
    reason: row.reason,
    since: row.since.toISOString(),
    removed_after: new Date(row.since.getTime() + KEPT_DAYS * DAY_MS).toISOString(),
  };
}
