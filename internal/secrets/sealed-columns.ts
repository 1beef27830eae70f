/**
 * Every column that holds sealed values, with what names its row: all of them in one place, so that a change of keys
 * forgets none. A test holds this list against the schema.
 */
export const SEALED_COLUMNS = {
  'env_vars.value': ['id'],
  'deployments.config_snapshot': ['id'],
  'users.github_token': ['id'],
  'services.webhook_secret': ['id'],
  'services.deploy_key_private': ['id'],
  'webhook_deliveries.payload': ['id'],
  'idempotency_keys.answer': ['user_id', 'target', 'key'],
  // The last one: while it has an old key, a change of keys is not done.
  'instance.key_canary': ['id'],
} as const;

export type SealedColumn = keyof typeof SEALED_COLUMNS;

/** One value for each name. */
type ValuesFor<N extends readonly string[]> = { readonly [I in keyof N]: string };

/** What a value of that column is bound to in that row: moved to another row or column it does not open. */
export function sealContext<C extends SealedColumn>(
  column: C,
  ...row: ValuesFor<(typeof SEALED_COLUMNS)[C]>
): string {
  const [table, field] = column.split('.');
  return `${table}:${row.join(' ')}:${field}`;
}
