import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { AppError } from '../errors/app-error.ts';

export const IDEMPOTENCY_KEY = 'Idempotency-Key';

/** A request that may come twice and shall have one effect. */
export interface IdempotentRequest {
  readonly key: string;
  /** Method and path, ids filled in: a key counts for one of these. */
  readonly target: string;
  /** SHA-256, hex, of what was asked. The same after another spelling of a field or another order. */
  readonly digest: string;
}

const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The key a request came with; null without one.
 * @throws AppError invalid_input when it is not 1 to 255 visible ASCII characters
 */
export function readIdempotentRequest(
  request: Pick<Request, 'get' | 'params'>,
  of: { method: string; path: string; body: unknown },
): IdempotentRequest | null {
  const key = request.get(IDEMPOTENCY_KEY);
  if (key === undefined) return null;
  if (!KEY.test(key)) {
    const message = 'must be 1 to 255 visible ASCII characters';
    throw new AppError('invalid_input', `${IDEMPOTENCY_KEY} ${message}.`, {
      fields: [{ field: IDEMPOTENCY_KEY, message }],
    });
  }
  const path = of.path.replace(/:(\w+)/g, (_, name: string) => String(request.params[name]));
  const digest = createHash('sha256').update(JSON.stringify(of.body)).digest('hex');
  return { key, target: `${of.method.toUpperCase()} ${path}`, digest };
}
