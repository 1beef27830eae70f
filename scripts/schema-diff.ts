import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQueryable,
} from '@prisma/driver-adapter-utils';
import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/**
 * The SQL that leads from the migrations to `schema.prisma`; null when they are in step. This is `prisma migrate diff`
 * with the engine as WebAssembly, because the native engine is a download.
 * @param url of an empty database: the migrations are replayed there. Throw it away afterwards.
 */
export async function schemaDiff(options: {
  url: string;
  schemaFile: string;
  migrationsDirectory: string;
}): Promise<string | null> {
  const schema = { path: options.schemaFile, content: await readFile(options.schemaFile, 'utf8') };
  const migrations = await readMigrations(options.migrationsDirectory);
  const pool = new pg.Pool({ connectionString: options.url });
  try {
    const engine = await openEngine(schema, pool);
    const result = await engine.diff({
      from:
        migrations.migrationDirectories.length > 0 ? { tag: 'migrations', ...migrations } : { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      // 2: there is something to write; 0: in step.
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return result.exitCode === 0 ? null : (result.stdout ?? '');
  } finally {
    await pool.end();
  }
}

async function readMigrations(baseDir: string): Promise<MigrationList> {
  const entries = await readdir(baseDir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(join(baseDir, path, 'migration.sql'), 'utf8'),
          },
        },
      })),
    ),
  };
}

/** Of the DOM's types, which this project does not load, the one function that is needed. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

async function openEngine(schema: { path: string; content: string }, pool: pg.Pool): Promise<SchemaEngine> {
  loaded ??= loadEngine();
  await loaded;
  return glue.SchemaEngine.new(
    { datamodels: [[schema.path, schema.content]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(readingCatalogue(new PrismaPg(pool))),
  );
}

/** Once in a process: the glue keeps views of the first instance's memory, and reads nonsense out of a second one. */
let loaded: Promise<void> | null = null;

async function loadEngine(): Promise<void> {
  // Where the engine leaves the reason of a panic; without it a panic is only "unreachable".
  Reflect.set(globalThis, 'PRISMA_WASM_PANIC_REGISTRY', {
    set_message(message: string) {
      throw new Error(message);
    },
  });
  const file = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm')
    .replace(/\.js$/, '_bg.wasm');
  const { instance } = await WebAssembly.instantiate(await readFile(file), { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  const start = instance.exports['__wbindgen_start'];
  if (typeof start === 'function') start();
}

/** PostgreSQL's `"char"` and `text`. The adapter cannot read the first, of which the catalogue is full. */
const CHAR = 18;
const TEXT = 25;

/**
 * The adapter, able to read the catalogue: a `"char"` column is read as text and declared a character. Its own way to a
 * shadow database leaves connections open that nobody can close; the database at hand is as empty as that would be.
 */
function readingCatalogue(
  factory: SqlMigrationAwareDriverAdapterFactory,
): SqlMigrationAwareDriverAdapterFactory {
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => patched(await factory.connect()),
    connectToShadowDb: async () => patched(await factory.connect()),
  };
}

interface PgResult {
  fields: { name: string; dataTypeID: number }[];
}

function patched(adapter: SqlDriverAdapter): SqlDriverAdapter {
  let characters = new Set<string>();
  const performIO: unknown = Reflect.get(adapter, 'performIO');
  if (typeof performIO !== 'function') throw new Error('the adapter has no performIO: see how it reads now');
  Reflect.set(adapter, 'performIO', async (query: unknown) => {
    const result: PgResult = await performIO.call(adapter, query);
    const found = result.fields.filter((field) => field.dataTypeID === CHAR);
    characters = new Set(found.map((field) => field.name));
    for (const field of found) field.dataTypeID = TEXT;
    return result;
  });
  const queryRaw: SqlQueryable['queryRaw'] = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    const columnTypes = result.columnTypes.map((type, index) =>
      characters.has(result.columnNames[index] ?? '') ? ColumnTypeEnum.Character : type,
    );
    return { ...result, columnTypes };
  };
  return adapter;
}
