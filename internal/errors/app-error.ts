/** Where in the request a problem lies: a JSON pointer into the body (RFC 6901), or a parameter's name. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/**
 * Every error the API answers with, in one place: code → HTTP status and title (RFC 9457).
 * Codes are a promise to clients: add, never rename.
 */
export const API_ERRORS = {
  malformed_json: { status: 400, title: 'The request body is not valid JSON' },
  invalid_input: { status: 400, title: 'The request has invalid fields' },
  unauthorized: { status: 401, title: 'A valid API token is needed' },
  signature_refused: { status: 401, title: 'The webhook is not signed as it must be' },
  forbidden: { status: 403, title: 'This token may not do that' },
  csrf_refused: { status: 403, title: 'The request came from a page of another origin' },
  session_needed: { status: 403, title: 'Only a signed-in browser may do that' },
  sign_in_refused: { status: 403, title: 'This account may not sign in' },
  not_local: { status: 403, title: 'Only this machine itself may ask' },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'This path does not take that method' },
  name_taken: { status: 409, title: 'The name is taken' },
  host_taken: { status: 409, title: 'The host is taken' },
  not_cancellable: { status: 409, title: 'The deployment can no longer be cancelled' },
  not_finished: { status: 409, title: 'The deployment is not finished' },
  last_owner: { status: 409, title: 'The installation needs an owner' },
  user_has_projects: { status: 409, title: 'The user still has projects' },
  github_account_taken: { status: 409, title: 'The GitHub account belongs to another user' },
  github_not_connected: { status: 409, title: 'Your account is not connected with GitHub' },
  installation_taken: { status: 409, title: 'The installation belongs to another account here' },
  no_release: { status: 409, title: 'The app has no release' },
  not_stopped: { status: 409, title: 'The app is not stopped' },
  rollback_impossible: { status: 409, title: 'That release cannot be brought back' },
  app_deleting: { status: 409, title: 'The app is being deleted' },
  project_deleting: { status: 409, title: 'The project is being deleted' },
  body_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The request body must be JSON' },
  upgrade_required: { status: 426, title: 'This address is a WebSocket' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key belongs to another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong here' },
  github_unavailable: { status: 502, title: 'GitHub cannot be reached' },
  github_refused: { status: 502, title: 'GitHub refused what was asked of it' },
  github_not_configured: { status: 501, title: 'GitHub is not set up on this installation' },
  database_unavailable: { status: 503, title: 'The database cannot be reached' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** An error with an answer: thrown anywhere below a route, translated once in `http/`. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ApiErrorCode;
  readonly fields: readonly FieldProblem[];
  /** After how many seconds the same request may work. */
  readonly retryAfterSeconds: number | null;

  /** `detail` is one sentence for the caller: what happened and what to do. It must hold no secret. */
  constructor(
    code: ApiErrorCode,
    detail: string,
    options: { fields?: FieldProblem[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get status(): number {
    return API_ERRORS[this.code].status;
  }
}
