import type { Db } from '../db/database.ts';
import { readInstallationEvent } from './installation-event.ts';
import {
  addRepositories,
  deleteInstallation,
  putInstallation,
  removeRepositories,
  replaceRepositories,
} from './installation-store.ts';

/**
 * Keeps what GitHub's webhook tells of installations. Whose one is, it never decides: that takes the user's own token.
 * Told twice it changes nothing; what has another shape is passed over.
 */
export async function recordInstallation(
  tx: Db,
  { event, payload }: { event: string; payload: unknown },
): Promise<void> {
  const told = readInstallationEvent(event, payload);
  if (!told) return;
  const { id } = told.installation;
  if (told.action === 'removed') return deleteInstallation(tx, id);

  await putInstallation(tx, told.installation);
  switch (told.action) {
    case 'installed':
      return replaceRepositories(tx, id, told.repositories);
    case 'repositories_added':
      return addRepositories(tx, id, told.repositories);
    case 'repositories_removed':
      return removeRepositories(tx, id, told.repositories);
    // What these change is a fact of the installation itself.
    case 'suspended':
    case 'unsuspended':
    case 'changed':
      return;
    default:
      told.action satisfies never;
  }
}
