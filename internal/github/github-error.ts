/** GitHub did not answer, or has had enough of us for a while: the same call may go well later. */
export class GithubUnavailable extends Error {
  override readonly name = 'GithubUnavailable';
  readonly reason: 'outage' | 'rate_limited';
  /** How long GitHub asks to wait. Null: it did not say. */
  readonly retryAfterSeconds: number | null;

  constructor(
    message: string,
    options: { reason?: 'outage' | 'rate_limited'; retryAfterSeconds?: number | null } = {},
  ) {
    super(message);
    this.reason = options.reason ?? 'outage';
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/**
 * Why GitHub said no. `unauthorized`: it no longer knows the token; `not_found`: or it does not show it to this token;
 * `not_granted`: whoever installed the App has not granted what is asked for.
 */
export type RefusalReason = 'unauthorized' | 'forbidden' | 'not_granted' | 'not_found' | 'moved' | 'invalid';

/** GitHub's answer is no, and will be the next time too. `message` is one sentence without a token or a URL. */
export class GithubRefused extends Error {
  override readonly name = 'GithubRefused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Whether it is GitHub's doing, and no fault of ours. */
export function isGithubError(error: unknown): error is GithubUnavailable | GithubRefused {
  return error instanceof GithubUnavailable || error instanceof GithubRefused;
}
