import type { Account, Actor, Installation, Repository, World } from './world.ts';

/** Who may see and change what, by GitHub's rules. */

export function covers(installation: Installation, repository: Repository): boolean {
  if (installation.account.id !== repository.owner.id) return false;
  return installation.repositories === null || installation.repositories.has(repository.id);
}

export function roleOf(user: Account, repository: Repository): 'admin' | 'write' | 'read' | null {
  if (repository.owner.id === user.id) return 'admin';
  const membership = repository.owner.members.get(user.login);
  if (membership !== undefined) return membership === 'admin' ? 'admin' : 'write';
  if (repository.collaborators.has(user.login)) return 'write';
  return repository.isPrivate ? null : 'read';
}

export function maySee(world: World, actor: Actor, repository: Repository): boolean {
  if (!repository.isPrivate) return true;
  switch (actor.kind) {
    case 'nobody':
    case 'app':
      return false;
    case 'user': {
      if (roleOf(actor.user, repository) === null) return false;
      if (actor.scopes !== null) return actor.scopes.includes('repo');
      return world.installations.some((one) => one.suspendedAt === null && covers(one, repository));
    }
    case 'installation':
      return reaches(actor, repository);
    default:
      return actor satisfies never;
  }
}

/** Whether it may write what the App's permission, or one of the scopes, allows. */
export function mayWrite(
  actor: Actor,
  repository: Repository,
  by: { permission: string; scopes: readonly string[]; role: 'admin' | 'write' },
): boolean {
  if (actor.kind === 'installation') {
    return reaches(actor, repository) && actor.permissions[by.permission] === 'write';
  }
  if (actor.kind !== 'user' || actor.scopes === null) return false;
  const role = roleOf(actor.user, repository);
  const hasRole = role === 'admin' || (by.role === 'write' && role === 'write');
  return hasRole && actor.scopes.some((scope) => by.scopes.includes(scope));
}

function reaches(actor: Extract<Actor, { kind: 'installation' }>, repository: Repository): boolean {
  if (actor.installation.suspendedAt !== null || !covers(actor.installation, repository)) return false;
  return actor.repositories === null || actor.repositories.has(repository.id);
}
