import { AppError } from '../errors/app-error.ts';
import type { Caller } from '../openapi/operation.ts';

/**
 * Browsers let any page open a WebSocket, with the cookies of the host it goes to: so an Origin must be one of ours,
 * letter by letter, and a cookie that comes without one is no browser's (T51). Programs with a token send none.
 * @throws AppError csrf_refused
 */
export function requireOwnOrigin(
  origin: string | undefined,
  via: Caller['via'],
  allowed: readonly string[],
): void {
  if (origin === undefined && via !== 'session') return;
  if (origin !== undefined && allowed.includes(origin)) return;
  throw new AppError(
    'csrf_refused',
    origin === undefined
      ? 'A session may open a WebSocket from a page only, which sends its Origin; a program sends a token.'
      : 'Pages of this origin may not open a WebSocket; CORS_ORIGINS lists those that may beside our own.',
  );
}
