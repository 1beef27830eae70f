import { GithubRefused, GithubUnavailable, type RefusalReason } from './github-error.ts';

/** An answer of 4xx or 5xx. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  /** The body, whatever it is. */
  readonly data: unknown;
}

/** GitHub asks for at least a minute where it names no time. */
const PAUSE_SECONDS = 60;
const MAX_MESSAGE = 200;

/**
 * What an error answer means: tell limits and outages, which pass, from refusals, which do not.
 * @param nowSeconds since 1970, to which the end of a limit is held
 */
export function explainAnswer(answer: ErrorAnswer, nowSeconds: number): GithubUnavailable | GithubRefused {
  const message = messageIn(answer.data);
  if (isLimit(answer, message)) {
    const retryAfterSeconds = pauseIn(answer, nowSeconds);
    return new GithubUnavailable(
      `GitHub's rate limit is reached; it ends in ${inWords(retryAfterSeconds)}.`,
      {
        reason: 'rate_limited',
        retryAfterSeconds,
      },
    );
  }
  if (answer.status >= 500 || answer.status === 408) {
    return new GithubUnavailable(`GitHub has trouble of its own (HTTP ${answer.status}).`, {
      retryAfterSeconds: secondsIn(answer.headers['retry-after']),
    });
  }
  if (answer.status === 422 && /permissions requested are not granted/i.test(message)) {
    return new GithubRefused(
      'not_granted',
      'The GitHub App has not been granted the permission that this needs.',
    );
  }
  return new GithubRefused(reasonOf(answer.status), `GitHub refused (HTTP ${answer.status}): ${message}`);
}

/** 429 is one; a 403 is when nothing is left of the hour, when it names a pause, or says so in words. */
function isLimit({ status, headers }: ErrorAnswer, message: string): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  const isSpent = String(headers['x-ratelimit-remaining']) === '0';
  return isSpent || headers['retry-after'] !== undefined || /rate limit/i.test(message);
}

function pauseIn({ headers }: ErrorAnswer, nowSeconds: number): number {
  const pause = secondsIn(headers['retry-after']);
  if (pause !== null) return pause;
  const reset = secondsIn(headers['x-ratelimit-reset']);
  const isSpent = String(headers['x-ratelimit-remaining']) === '0';
  return isSpent && reset !== null ? Math.max(1, Math.ceil(reset - nowSeconds)) : PAUSE_SECONDS;
}

function secondsIn(header: string | number | undefined): number | null {
  const text = String(header ?? '');
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function reasonOf(status: number): RefusalReason {
  if (status === 401) return 'unauthorized';
  if (status === 403 || status === 451) return 'forbidden';
  if (status === 404 || status === 410) return 'not_found';
  return 'invalid';
}

/** GitHub's `message`, and what its `errors` add: plain words, cut, without addresses. */
function messageIn(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('message' in data)) return 'it gave no reason';
  const more = 'errors' in data && Array.isArray(data.errors) ? data.errors.map(detailOf) : [];
  return [String(data.message), ...more]
    .filter((text) => text !== '')
    .join(': ')
    .replace(/https?:\/\/\S+/g, '(URL)')
    .replace(/[^\P{C}]/gu, ' ')
    .slice(0, MAX_MESSAGE);
}

function detailOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'message' in error && typeof error.message === 'string' ? error.message : '';
}

function inWords(seconds: number): string {
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
