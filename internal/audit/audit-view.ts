import { z } from 'zod';
import { time } from '../openapi/schemas.ts';
import type { AuditRow } from './audit-store.ts';
import { AUDIT_OBJECTS, MEANS } from './record-audit.ts';

const meansSchema = z.object({
  via: z.enum(['token', 'session', 'local']),
  token_id: z.string().nullable(),
  token_prefix: z.string().nullable(),
});

export const auditEventSchema = z
  .object({
    id: z.int(),
    at: time,
    actor: z
      .object({
        user_id: z.string(),
        name: z.string().nullable().meta({ description: 'Null when the account has been removed.' }),
        via: z.enum(['token', 'session', 'local']).nullable(),
        token_id: z.string().nullable(),
        token_prefix: z.string().nullable().meta({ description: 'The first characters of the token.' }),
      })
      .nullable()
      .meta({ description: 'Null for what nobody signed in has asked for, such as a push.' }),
    address: z.string().meta({ description: 'Where the request came from.' }),
    request_id: z.string(),
    action: z.string().meta({ examples: ['app.create', 'deployment.cancel'] }),
    object: z.enum(AUDIT_OBJECTS),
    object_id: z.string(),
    detail: z.record(z.string(), z.unknown()).meta({
      description:
        'What was asked for, by field. Of a change each changed field as [before, after]. Of secrets only the names.',
    }),
  })
  .meta({
    id: 'AuditEvent',
    description: 'One change: who, by what, from where, what, which object.',
    examples: [
      {
        id: 41,
        at: '2026-11-21T06:30:54.591Z',
        actor: {
          user_id: 'h5cwq3mz7e',
          name: 'ada',
          via: 'token',
          token_id: 'm3xk7qv5ta',
          token_prefix: 'berth_a1b2c3',
        },
        address: '203.0.113.7',
        request_id: '0b3c1c2e-6a0e-4f4e-9a55-0f6a8f8d6f10',
        action: 'app.change',
        object: 'app',
        object_id: 'k3v5ahq2xd',
        detail: { port: [3000, 8080], branch: [null, 'main'] },
      },
    ],
  });

export function viewAuditEvent(row: AuditRow): z.input<typeof auditEventSchema> {
  const { [MEANS]: means, ...detail } = detailSchema.parse(row.detail);
  const unknownMeans = { via: null, token_id: null, token_prefix: null };
  return {
    id: Number(row.id),
    at: row.at.toISOString(),
    actor:
      row.userId === null ? null : { user_id: row.userId, name: row.userName, ...(means ?? unknownMeans) },
    address: row.address,
    request_id: row.requestId,
    action: row.action,
    object: auditEventSchema.shape.object.parse(row.object),
    object_id: row.objectId,
    detail,
  };
}

const detailSchema = z.object({ [MEANS]: meansSchema.optional() }).catchall(z.unknown());
