import { type Db, type LogLevel, Prisma } from '../db/database.ts';
import { type AppendOptions, appendLines } from '../logs/append-lines.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';

export interface Release {
  readonly appId: string;
  readonly deploymentId: string;
}

interface Words {
  readonly text: string;
  readonly level?: LogLevel;
}

/**
 * One line in the app's own log, among what its containers write, in the transaction that changes the release: who
 * follows the log sees which lines come from before and which from after. The changed row stops the app's deletion
 * until then.
 */
export async function markRelease(tx: Db, release: Release, words: Words): Promise<void> {
  await append(tx, release, words);
}

/** The same where no row changes, as when a container was started again. Nothing, when the app is gone meanwhile (F44). */
export async function tellOfRelease(db: Db, release: Release, words: Words): Promise<void> {
  const owner = Prisma.sql`SELECT id FROM services WHERE id = ${release.appId} FOR KEY SHARE`;
  await append(db, release, words, { owner });
}

async function append(
  db: Db,
  { appId, deploymentId }: Release,
  { text, level = 'deploy' }: Words,
  options: Pick<AppendOptions, 'owner'> = {},
): Promise<void> {
  const line = { source: 'deploy', level, stream: null, text } as const;
  const origin = { deploymentId, replica: null };
  await appendLines(db, runtimeStreamId(appId), [line], { ...options, origin });
}
