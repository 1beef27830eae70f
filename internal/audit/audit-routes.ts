import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import {
  DEFAULT_PAGE,
  decodeCursor,
  encodeCursor,
  id as idSchema,
  pageOf,
  pageQuery,
  someOf,
  time,
} from '../openapi/schemas.ts';
import { listAllEvents, listEventsOf } from './audit-store.ts';
import { auditEventSchema, viewAuditEvent } from './audit-view.ts';
import { AUDIT_OBJECTS } from './record-audit.ts';

const filterQuery = pageQuery.extend({
  actor: idSchema.optional().meta({ description: 'Only what this user did.' }),
  action: z
    .string()
    .max(60)
    .regex(/^[a-z_]+\.[a-z_]+$/, 'must be an action such as app.create')
    .optional()
    .meta({ description: 'Exactly this action, such as `app.create`.' }),
  object: someOf(AUDIT_OBJECTS, 'The kind of object: one or more, with commas between.'),
  object_id: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Only what was done to this object.' }),
  since: time.optional().meta({ description: 'Not before this time.' }),
  until: time.optional().meta({ description: 'Before this time.' }),
});

/** Who has changed what (A19). */
export function auditRoutes({ prisma }: { prisma: PrismaClient }): Operation[] {
  return [
    op({
      method: 'get',
      path: '/audit',
      id: 'listAuditEvents',
      tag: 'audit',
      summary: 'List changes, newest first',
      description:
        'What you did, and what was done to your projects, apps, deployments, variables and tokens; for the owner of ' +
        'the installation, what everybody did. Each change of the API is here.',
      auth: 'token',
      query: filterQuery,
      responses: { 200: { description: 'One page', schema: pageOf(auditEventSchema) } },
      async handler({ query }, { caller }) {
        const { limit = DEFAULT_PAGE, cursor, actor, action, object, object_id: objectId } = query;
        const [since, until] = [timeOf(query.since), timeOf(query.until)];
        const filter = { actor, action, object, objectId, since, until };
        // One more than asked for tells whether there is a next page.
        const of = { filter, limit: limit + 1, before: placeOf(cursor) };
        const rows =
          caller.role === 'owner'
            ? await listAllEvents(prisma, of)
            : await listEventsOf(prisma, caller.userId, of);
        const page = rows.slice(0, limit);
        const last = rows.length > limit ? page.at(-1) : undefined;
        return {
          status: 200,
          body: {
            items: page.map(viewAuditEvent),
            next_cursor: last ? encodeCursor([String(last.id)]) : null,
          },
        };
      },
    }),
  ];
}

function placeOf(cursor: string | undefined): bigint | null {
  if (cursor === undefined) return null;
  const [id = '0'] = decodeCursor(cursor, [/^\d{1,18}$/]);
  return BigInt(id);
}

function timeOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
