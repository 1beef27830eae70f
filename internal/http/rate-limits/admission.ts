import type { Request } from 'express';
import type { Authenticate } from '../../auth/authenticator.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Caller, Operation } from '../../openapi/operation.ts';
import { scopeOf } from '../../openapi/permission.ts';
import type { RateLimits } from './rate-limits.ts';

/**
 * Asks who it is; an address has only so many wrong tokens. A right one always passes, so that one forgotten job with an
 * old token does not lock a whole office out; and nobody guesses 256 bits.
 */
export function countingFailures(authenticate: Authenticate, limits: RateLimits): Authenticate {
  return async (request: Request) => {
    try {
      return await authenticate(request);
    } catch (error) {
      const hasFailed = error instanceof AppError && error.code === 'unauthorized';
      if (hasFailed && request.get('authorization') !== undefined) await limits.signIn(request.ip ?? '');
      throw error;
    }
  };
}

/** Counts a request before it may cost anything. */
export function admission(limits: RateLimits): (caller: Caller, operation: Operation) => Promise<void> {
  return async (caller, operation) => {
    await limits.request(caller);
    if (queuesDeployment(operation)) await limits.deploy(caller);
  };
}

function queuesDeployment(operation: Operation): boolean {
  const makesSomething = operation.takesIdempotencyKey === true;
  return operation.queuesDeployment ?? (makesSomething && scopeOf(operation) === 'deploy');
}
