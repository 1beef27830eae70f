import { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { endQuarantine, KEPT_DAYS, listQuarantined } from './quarantine-store.ts';
import { EXAMPLE_ID, quarantinedSchema, viewQuarantined } from './quarantine-view.ts';

const params = z.object({
  id: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ param: { example: EXAMPLE_ID } }),
});

/** What a restored backup left without an explanation. For the owner of the installation: the rows do not say whose it is. */
export function quarantineRoutes({ prisma }: { prisma: PrismaClient }): Operation[] {
  return [
    op({
      method: 'get',
      path: '/quarantine',
      id: 'listQuarantine',
      tag: 'platform',
      summary: 'List containers of this installation that no row explains',
      description: `They are stopped, and removed after ${KEPT_DAYS} days; their volumes are not.`,
      auth: 'token',
      ownerOnly: true,
      responses: {
        200: { description: 'All of them', schema: z.object({ items: z.array(quarantinedSchema) }) },
      },
      async handler() {
        return { status: 200, body: { items: (await listQuarantined(prisma)).map(viewQuarantined) } };
      },
    }),

    op({
      method: 'delete',
      path: '/quarantine/:id',
      id: 'removeQuarantined',
      tag: 'platform',
      summary: 'Remove such a container now instead of later',
      auth: 'token',
      ownerOnly: true,
      params,
      responses: { 202: { description: 'It will be gone soon', schema: quarantinedSchema } },
      async handler({ params: { id } }, call) {
        const row = await prisma.$transaction(async (tx) => {
          const ended = await endQuarantine(tx, id);
          const detail = { container_id: id, container_name: ended.containerName };
          const about = { object: 'deployment', objectId: ended.deploymentId } as const;
          await recordAudit(tx, call, { action: 'quarantine.remove', ...about, detail });
          return ended;
        });
        return { status: 202, body: viewQuarantined(row) };
      },
    }),
  ];
}
