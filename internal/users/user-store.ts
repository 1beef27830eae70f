import type { Db, User } from '../db/database.ts';
import { newId, newUserHash } from '../db/ids.ts';

/** The account that the first start makes; null before. */
export function findOwner(db: Db): Promise<User | null> {
  return db.user.findFirst({ where: { role: 'owner' }, orderBy: { createdAt: 'asc' } });
}

export function createOwner(db: Db): Promise<User> {
  return db.user.create({ data: { id: newId(), hash: newUserHash(), name: 'owner', role: 'owner' } });
}
