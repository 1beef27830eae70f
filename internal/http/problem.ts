import { isDatabaseFull, isDatabaseUnavailable } from '../db/database-unavailable.ts';
import { API_ERRORS, AppError } from '../errors/app-error.ts';

/** RFC 9457. `code` is the promise to clients; `type` is the same as a URI. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly request_id: string;
}

export function problemOf(error: AppError, requestId: string): Problem {
  return {
    type: `urn:berth:problem:${error.code}`,
    title: API_ERRORS[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.fields.length > 0 ? { errors: error.fields } : {}),
    request_id: requestId,
  };
}

/** Whatever was thrown, as one of our errors: nothing of an unexpected one reaches the answer (T61). */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseUnavailable(error)) {
    const detail = isDatabaseFull(error)
      ? 'The disk of the database is full; free some space there and try again.'
      : 'The database cannot be reached; try again in a few seconds.';
    return new AppError('database_unavailable', detail, { cause: error });
  }
  // Express, of a path with a broken percent sign.
  if (error instanceof URIError) return new AppError('not_found', 'There is nothing under this address.');
  return new AppError('internal', 'This is a fault of the platform; its log has the details by request_id.', {
    cause: error,
  });
}
