import type { Db, User } from '../db/database.ts';
import { newId, newUserHash } from '../db/ids.ts';
import { AppError } from '../errors/app-error.ts';
import { newestFirst, type Place } from '../openapi/page-by-age.ts';

/** The account that the first start makes; null before. */
export function findOwner(db: Db): Promise<User | null> {
  return db.user.findFirst({ where: { role: 'owner' }, orderBy: { createdAt: 'asc' } });
}

export function createOwner(db: Db): Promise<User> {
  return createUser(db, { name: 'owner', role: 'owner' });
}

/** Never an owner: the first start makes one, and owners make others. */
export function createMember(db: Db, name: string): Promise<User> {
  return createUser(db, { name, role: 'member' });
}

/** There are a billion hashes; one that is taken is drawn again. */
async function createUser(db: Db, of: Pick<User, 'name' | 'role'>): Promise<User> {
  for (;;) {
    const [user] = await db.user.createManyAndReturn({
      data: [{ id: newId(), hash: newUserHash(), ...of }],
      skipDuplicates: true,
    });
    if (user) return user;
  }
}

/** @throws AppError not_found */
export async function requireUser(db: Db, id: string): Promise<User> {
  const user = await db.user.findUnique({ where: { id } });
  if (!user) throw new AppError('not_found', 'There is no user with this id.');
  return user;
}

/** Newest first, after the given place. */
export function listUsers(db: Db, of: { limit: number; after: Place | null }): Promise<User[]> {
  const { where, orderBy } = newestFirst(of.after);
  return db.user.findMany({ where, orderBy, take: of.limit });
}

/** One after the other: two owners who remove each other at the same time leave one. Run it inside a transaction. */
export async function changeRole(
  tx: Db,
  id: string,
  role: User['role'],
): Promise<{ before: User; after: User }> {
  await takeTurns(tx);
  const before = await requireUser(tx, id);
  if (role !== 'owner') await requireAnotherOwner(tx, before);
  return { before, after: await tx.user.update({ where: { id }, data: { role } }) };
}

/**
 * With their tokens; sessions and projects are others' to see to. Run it inside a transaction.
 * @throws AppError not_found, last_owner
 */
export async function deleteUser(tx: Db, id: string, before: (user: User) => Promise<void>): Promise<User> {
  await takeTurns(tx);
  // Who makes a project at this moment is waited for, or waits and finds the user gone.
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${id} FOR UPDATE`;
  const user = await requireUser(tx, id);
  await requireAnotherOwner(tx, user);
  await before(user);
  return tx.user.delete({ where: { id } });
}

async function takeTurns(tx: Db): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('owners'))`;
}

async function requireAnotherOwner(tx: Db, { id, role }: User): Promise<void> {
  if (role !== 'owner') return;
  const others = await tx.user.count({ where: { role: 'owner', id: { not: id } } });
  if (others > 0) return;
  throw new AppError('last_owner', 'This is the only owner; make someone else an owner first.');
}

/** @returns when that was, by the clock of the database */
export async function recordSignIn(tx: Db, id: string): Promise<Date> {
  const [row] = await tx.$queryRaw<{ at: Date }[]>`
    UPDATE users SET last_sign_in_at = now() WHERE id = ${id} RETURNING last_sign_in_at AS at`;
  if (!row) throw new AppError('unauthorized', 'Your account has been removed.');
  return row.at;
}
