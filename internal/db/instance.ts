import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrismaClient } from './database.ts';
import { newId } from './ids.ts';

/**
 * Which installation this is: the id that labels its every container, image and network. Made at the first start of
 * whichever process comes first. With `dataDir` it is kept in `DATA_DIR/instance` too: a database that was made anew
 * finds the objects of the old one as its own, instead of leaving them to nobody.
 */
export async function ensureInstance(prisma: PrismaClient, dataDir?: string): Promise<string> {
  const remembered = dataDir === undefined ? null : await readInstanceFile(dataDir);
  await prisma.instance.createMany({ data: [{ id: remembered ?? newId() }], skipDuplicates: true });
  const { id } = await prisma.instance.findFirstOrThrow();
  if (dataDir !== undefined && id !== remembered) await writeInstanceFile(dataDir, id);
  return id;
}

async function readInstanceFile(dataDir: string): Promise<string | null> {
  const text = await readFile(join(dataDir, 'instance'), 'utf8').catch(() => '');
  return /^[a-z][a-z2-7]{9}$/.test(text.trim()) ? text.trim() : null;
}

/** By rename, so that nobody reads half of it. */
async function writeInstanceFile(dataDir: string, id: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const partial = join(dataDir, `instance.${process.pid}`);
  await writeFile(partial, `${id}\n`);
  await rename(partial, join(dataDir, 'instance'));
}
