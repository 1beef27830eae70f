/**
 * npm run migrate:new -- NAME     writes prisma/migrations/{time}_{NAME}/migration.sql: what schema.prisma has and the
 *                                 migrations have not. Read it, and add by hand what Prisma cannot say.
 * npm run migrate:new -- --check  writes nothing; exit 1 when the two are not in step.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../internal/db/embedded-postgres.ts';
import { schemaDiff } from './schema-diff.ts';

const root = join(import.meta.dirname, '..');
const migrationsDirectory = join(root, 'prisma/migrations');

const [argument = ''] = process.argv.slice(2);
if (!/^(--check|[a-z][a-z0-9_]*)$/.test(argument)) {
  console.error('usage: npm run migrate:new -- NAME | --check   (NAME: lower-case letters, digits, _)');
  process.exit(2);
}

const sql = await difference();
if (argument === '--check') {
  console.log(sql === null ? 'Schema and migrations are in step.' : `Not in any migration yet:\n${sql}`);
  process.exit(sql === null ? 0 : 1);
}
if (sql === null) {
  console.log('Nothing to write: schema and migrations are in step.');
  process.exit(0);
}
const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const directory = join(migrationsDirectory, `${time}_${argument}`);
await mkdir(directory, { recursive: true });
await writeFile(join(directory, 'migration.sql'), sql);
console.log(join(directory, 'migration.sql'));

/** Compared on a database of a minute: replaying migrations belongs nowhere near a real one. */
async function difference(): Promise<string | null> {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-schema-'));
  await chmod(dataDir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir, throwAway: true });
  try {
    const schemaFile = join(root, 'prisma/schema.prisma');
    return await schemaDiff({ url: postgres.url.reveal(), schemaFile, migrationsDirectory });
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
