import { AppError } from '../errors/app-error.ts';
import { type Caller, type Operation, SCOPES, type Scope } from './operation.ts';

/** The scope that an operation asks of a token. */
export function scopeOf({ method, scope }: Pick<Operation, 'method' | 'scope'>): Scope {
  return scope ?? (method === 'get' ? 'read' : 'admin');
}

/**
 * Whether the caller may use this operation at all; whose the object is, the handler decides.
 * @throws AppError forbidden
 */
export function requirePermission(
  caller: Caller,
  operation: Pick<Operation, 'method' | 'scope' | 'ownerOnly'>,
): void {
  const needed = scopeOf(operation);
  if (SCOPES.indexOf(caller.scope) < SCOPES.indexOf(needed)) {
    throw new AppError(
      'forbidden',
      `This token has the scope ${caller.scope}; a token with the scope ${needed} is needed.`,
    );
  }
  if (operation.ownerOnly && caller.role !== 'owner') {
    throw new AppError('forbidden', 'Only the owner of this installation may do that.');
  }
}
