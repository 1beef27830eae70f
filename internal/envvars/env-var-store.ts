import type { Db, EnvScope, EnvVar } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { AppError } from '../errors/app-error.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { byKey, type EnvVariable, type GivenVariable, problemsOf } from './env-var.ts';
import { planEnvironment } from './plan-environment.ts';

/** A row with its value in clear. */
export type OpenedEnvVar = Omit<EnvVar, 'value'> & EnvVariable;

/** What became of an environment, by key, sorted. */
export interface EnvironmentChange {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

const SEVERAL_WRONG = 'Some variables are not usable; "errors" names each.';

/** The variables of an app as its next deployment takes them, by key. */
export async function readEnvironment(db: Db, box: SealedBox, appId: string): Promise<OpenedEnvVar[]> {
  return (await readEnvironments(db, box, [appId])).get(appId) ?? [];
}

/** The same of several apps; one that has none is missing. */
export async function readEnvironments(
  db: Db,
  box: SealedBox,
  appIds: readonly string[],
): Promise<Map<string, OpenedEnvVar[]>> {
  const rows = await db.envVar.findMany({ where: { appId: { in: [...appIds] } } });
  const environments = new Map<string, OpenedEnvVar[]>();
  for (const row of rows.toSorted(byKey)) {
    const value = box.open(row.value, sealContext('env_vars.value', row.id));
    const variables = environments.get(row.appId) ?? [];
    environments.set(row.appId, variables);
    variables.push({ ...row, value });
  }
  return environments;
}

/** Something that differs after each change of an app's environment, at the cost of a look at the app's row. */
export async function readVersions(db: Db, appIds: readonly string[]): Promise<Map<string, string>> {
  // xmin is the transaction that wrote the row: another one after every write, and each change here touches it.
  const rows = await db.$queryRaw<{ appId: string; version: string }[]>`
    SELECT id AS "appId", xmin::text AS version FROM services WHERE id = ANY(${[...appIds]})`;
  return new Map(rows.map(({ appId, version }) => [appId, version]));
}

/**
 * Gives an app these variables beside those it has, or with `replace` instead of them. Run it inside a transaction; two
 * for one app take turns. What stays as it is keeps its row untouched.
 * @throws AppError invalid_input when a variable, or the whole, is not usable
 */
export async function storeEnvironment(
  tx: Db,
  box: SealedBox,
  appId: string,
  given: readonly GivenVariable[],
  { replace = false }: { replace?: boolean } = {},
): Promise<EnvironmentChange> {
  await tx.$queryRaw`SELECT id FROM services WHERE id = ${appId} FOR UPDATE`;
  const present = await readEnvironment(tx, box, appId);
  const { whole, added, changed, removed } = planEnvironment(present, given, { replace });
  requireUsable(whole);

  const ids = new Map(present.map(({ key, id }) => [key, id]));
  const written = [...added, ...changed].map((variable) => ({
    ...variable,
    id: ids.get(variable.key) ?? newId(),
  }));
  await writeRows(tx, box, appId, written);
  if (removed.length > 0) {
    await tx.envVar.deleteMany({ where: { appId, key: { in: removed.map(({ key }) => key) } } });
  }
  if (written.length + removed.length > 0) await touchApp(tx, appId);
  const keys = (of: readonly EnvVariable[]) => of.map(({ key }) => key);
  return { added: keys(added), changed: keys(changed), removed: keys(removed) };
}

/** @throws AppError name_taken when the app has one of this key; invalid_input */
export async function addVariable(
  tx: Db,
  box: SealedBox,
  appId: string,
  given: GivenVariable,
): Promise<void> {
  const { key } = given;
  if (await tx.envVar.findUnique({ where: { appId_key: { appId, key } }, select: { id: true } })) {
    throw new AppError('name_taken', `The app has a variable ${key} already; change that one.`, {
      fields: [{ field: '/key', message: 'is taken' }],
    });
  }
  await storeEnvironment(tx, box, appId, [given]);
}

/** @throws AppError invalid_input */
export async function changeVariable(
  tx: Db,
  box: SealedBox,
  of: { appId: string; key: string },
  change: { readonly value?: string | undefined; readonly scope?: EnvScope | undefined },
): Promise<void> {
  const present = (await readEnvironment(tx, box, of.appId)).find(({ key }) => key === of.key);
  if (!present) return;
  const { value = present.value, scope } = change;
  await storeEnvironment(tx, box, of.appId, [{ key: of.key, value, scope }]);
}

/** The variable of this key, else of this id. @throws AppError not_found */
export async function findVariable(db: Db, appId: string, keyOrId: string): Promise<Omit<EnvVar, 'value'>> {
  const rows = await db.envVar.findMany({
    where: { appId, OR: [{ key: keyOrId }, { id: keyOrId }] },
    omit: { value: true },
  });
  const row = rows.find(({ key }) => key === keyOrId) ?? rows[0];
  if (!row) throw new AppError('not_found', 'The app has no variable of this name.');
  return row;
}

export async function removeVariable(tx: Db, id: string): Promise<void> {
  const { appId } = await tx.envVar.delete({ where: { id }, select: { appId: true } });
  await touchApp(tx, appId);
}

/** Its environment has changed, and so it has, for `updated_at` and for readVersions. */
async function touchApp(tx: Db, appId: string): Promise<void> {
  await tx.$executeRaw`UPDATE services SET updated_at = now() WHERE id = ${appId}`;
}

function requireUsable(variables: readonly EnvVariable[]): void {
  const problems = problemsOf(variables);
  const [first] = problems;
  if (!first) return;
  const detail = problems.length === 1 ? `${first.field} ${first.message}.` : SEVERAL_WRONG;
  throw new AppError('invalid_input', detail, { fields: problems.slice(0, 20) });
}

/** One statement, however many; each value is sealed for its row. */
async function writeRows(
  tx: Db,
  box: SealedBox,
  appId: string,
  rows: readonly (EnvVariable & { id: string })[],
): Promise<void> {
  if (rows.length === 0) return;
  const sealed = rows.map(({ id, value }) => box.seal(value, sealContext('env_vars.value', id)));
  await tx.$executeRaw`
    INSERT INTO env_vars (id, app_id, key, value, scope)
    SELECT row.id, ${appId}, row.key, row.value, row.scope::env_scope
      FROM unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ key }) => key)}::text[],
                  ${sealed}::bytea[], ${rows.map(({ scope }) => scope)}::text[]) AS row (id, key, value, scope)
        ON CONFLICT (id) DO UPDATE SET value = excluded.value, scope = excluded.scope, updated_at = now()`;
}
