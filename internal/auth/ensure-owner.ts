import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Db, PrismaClient, User } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { Secret } from '../secrets/secret.ts';
import { createOwner, findOwner } from '../users/user-store.ts';
import { isToken, newToken, tokenHash, tokenPrefix } from './api-token.ts';

const TOKEN_NAME = 'admin-token';

/**
 * At each start: there is an owner with the project `default`, and a token of theirs in `tokenFile` (mode 0600). A file
 * that is there is adopted, so that a fresh database behind an old DATA_DIR keeps its token; a file that was removed
 * stays away while the database still knows a token, because tokens cannot be read back.
 * @throws when the file holds something else than a token
 */
export async function ensureOwner(options: {
  prisma: PrismaClient;
  tokenFile: string;
  /** Makes the owner's project `default` where it is missing. Handed in: projects come after accounts. */
  ensureProject: (tx: Db, owner: User) => Promise<unknown>;
}): Promise<{ created: boolean }> {
  return options.prisma.$transaction(async (tx) => {
    // Two API processes that start together take turns.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('ensure_owner'))`;
    const owner = (await findOwner(tx)) ?? (await createOwner(tx));
    await options.ensureProject(tx, owner);

    const kept = await readToken(options.tokenFile);
    if (kept) return { created: await storeToken(tx, owner, kept) };
    if ((await tx.apiToken.count({ where: { userId: owner.id } })) > 0) return { created: false };
    const token = newToken();
    await storeToken(tx, owner, token);
    await writeToken(options.tokenFile, token);
    return { created: true };
  });
}

/** True when the database did not know it yet. */
async function storeToken(tx: Db, owner: User, token: Secret): Promise<boolean> {
  const { count } = await tx.apiToken.createMany({
    data: [
      {
        id: newId(),
        userId: owner.id,
        name: TOKEN_NAME,
        prefix: tokenPrefix(token),
        tokenHash: tokenHash(token),
      },
    ],
    skipDuplicates: true,
  });
  return count === 1;
}

async function readToken(path: string): Promise<Secret | null> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (!isToken(text)) throw new Error(`${path} holds no API token; remove it to get a new one.`);
  return new Secret(text);
}

/** `wx`: what another process wrote meanwhile is not overwritten. */
async function writeToken(path: string, token: Secret): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${token.reveal()}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
