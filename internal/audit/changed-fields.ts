/** A value as it may stand in the audit: what JSON has, without nesting. */
export type AuditValue = string | number | boolean | null | readonly string[];

/** Before and after. */
export type AuditChange = readonly [AuditValue, AuditValue];

/** Of what was asked for: the fields that have another value now, as [before, after]. */
export function changedFields<Field extends string>(
  before: Readonly<Record<Field, AuditValue>>,
  asked: Readonly<Partial<Record<NoInfer<Field>, AuditValue | undefined>>>,
): Record<string, AuditChange> {
  const changes = (Object.keys(asked) as Field[]).flatMap((field): [string, AuditChange][] => {
    const [old, now] = [before[field], asked[field]];
    // A list has no identity: it is the same when its items are.
    return now === undefined || JSON.stringify(old) === JSON.stringify(now) ? [] : [[field, [old, now]]];
  });
  return Object.fromEntries(changes);
}
