import type { Db, Prisma } from '../db/database.ts';

/** Who did it and from where; an operation's call has all of it. */
export interface Actor {
  readonly caller: { readonly userId: string } | null;
  readonly requestId: string;
  readonly address: string;
}

export interface AuditEntry {
  /** `app.create`, `deployment.cancel`, … */
  readonly action: string;
  readonly object:
    | 'app'
    | 'deployment'
    | 'project'
    | 'env_var'
    | 'user'
    | 'token'
    | 'session'
    | 'webhook'
    | 'installation'
    | 'plan';
  readonly objectId: string;
  /** What was asked for, by field; undefined ones are left out. Values of secrets never come here, only their names. */
  readonly detail?: Readonly<Record<string, AuditValue | undefined>>;
}
type AuditValue = string | number | boolean | null | readonly string[];

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
      detail: redactedDetail(detail),
    },
  });
}

const SECRET_NAME = /secret|token|password|credential|private_key/i;

/** The second net: by name, whatever was put in. */
function redactedDetail(detail: NonNullable<AuditEntry['detail']>): Prisma.InputJsonObject {
  const given = Object.entries(detail).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, SECRET_NAME.test(name) ? '[REDACTED]' : value]],
  );
  return Object.fromEntries(given) as Prisma.InputJsonObject;
}
