import type { Db, Prisma } from '../db/database.ts';
import type { Caller } from '../openapi/operation.ts';
import type { AuditChange, AuditValue } from './changed-fields.ts';

/** Who did it and from where; an operation's call has all of it. */
export interface Actor {
  readonly caller: (Pick<Caller, 'userId'> & Partial<Pick<Caller, 'via' | 'tokenId'>>) | null;
  readonly requestId: string;
  readonly address: string;
}

export const AUDIT_OBJECTS = [
  'app',
  'deployment',
  'project',
  'env_var',
  'user',
  'token',
  'session',
  'webhook',
  'installation',
  'plan',
] as const;

export interface AuditEntry {
  /** `app.create`, `deployment.cancel`, … */
  readonly action: string;
  readonly object: (typeof AUDIT_OBJECTS)[number];
  readonly objectId: string;
  /**
   * What was asked for, by field; of a change each field as [before, after] (`changedFields`). Undefined ones are left
   * out. Values of secrets never come here, only their names.
   */
  readonly detail?: Readonly<Record<string, AuditValue | AuditChange | undefined>>;
}

/** Where the detail of a row keeps by which token or session it was done. No field of the API begins like that. */
export const MEANS = '_means';

/** One row, in the transaction of the change it tells of: neither is there without the other. */
export async function recordAudit(tx: Db, actor: Actor, entry: AuditEntry): Promise<void> {
  const { action, object, objectId, detail = {} } = entry;
  await tx.auditEvent.create({
    data: {
      userId: actor.caller?.userId ?? null,
      requestId: actor.requestId,
      address: actor.address,
      action,
      object,
      objectId,
      detail: { ...redactedDetail(detail), ...(await meansOf(tx, actor.caller)) },
    },
  });
}

/** The token by its first characters too: it may be gone when somebody asks. */
async function meansOf(tx: Db, caller: Actor['caller']): Promise<Prisma.InputJsonObject> {
  if (!caller?.via) return {};
  const { via, tokenId = null } = caller;
  const token =
    tokenId === null
      ? null
      : await tx.apiToken.findUnique({ where: { id: tokenId }, select: { prefix: true } });
  return { [MEANS]: { via, token_id: tokenId, token_prefix: token?.prefix ?? null } };
}

const SECRET_NAME = /secret|token|password|credential|private_key/i;

/** The second net: by name, whatever was put in. */
function redactedDetail(detail: NonNullable<AuditEntry['detail']>): Prisma.InputJsonObject {
  const given = Object.entries(detail).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, SECRET_NAME.test(name) ? '[REDACTED]' : value]],
  );
  return Object.fromEntries(given) as Prisma.InputJsonObject;
}
