import { request as octokitRequest } from '@octokit/request';
import type { ZodType } from 'zod';
import { VERSION } from '../config/version.ts';
import type { Secret } from '../secrets/secret.ts';
import { explainAnswer } from './explain-answer.ts';
import { GithubRefused, GithubUnavailable, isGithubError } from './github-error.ts';
import { nextPage } from './next-page.ts';
import { sameHostFetch } from './same-host-fetch.ts';

export interface GithubCall<T> {
  /** As GitHub's documentation writes it: `GET /repos/{owner}/{repo}`. */
  readonly route: string;
  /** What fills the route; the rest goes into the query or the body. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Null: as nobody. */
  readonly token: Secret | null;
  /** What we need of the answer, in our own words. */
  readonly answer: ZodType<T>;
}

export interface GithubAnswer<T> {
  readonly data: T;
  /** Of a list; null on its last page. */
  readonly nextPage: number | null;
}

/** One call of GitHub's API. @throws GithubUnavailable, GithubRefused, and nothing else for what GitHub does */
export type CallGithub = <T>(call: GithubCall<T>) => Promise<GithubAnswer<T>>;

export interface CallOptions {
  readonly apiUrl: string;
  /** For one call, redirects and body included. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 10_000;

/** Octokit's request as everything here uses it: base URL, deadline, redirects, quiet. */
export function octokitFor({ apiUrl, deadlineMs = DEADLINE_MS }: CallOptions): typeof octokitRequest {
  const fetch = sameHostFetch(globalThis.fetch);
  return octokitRequest.defaults({
    baseUrl: apiUrl,
    headers: { 'user-agent': `berth/${VERSION}`, 'x-github-api-version': '2022-11-28' },
    request: {
      fetch: (url: string, init: RequestInit) =>
        fetch(url, { ...init, signal: AbortSignal.timeout(deadlineMs) }),
      // Octokit would write deprecations to the console, addresses included.
      log: { warn: () => undefined },
    },
  });
}

/** @see CallGithub */
export function githubCaller(options: CallOptions): CallGithub {
  const request = octokitFor(options);
  return async ({ route, parameters, token, answer }) => {
    const headers = token === null ? {} : { authorization: `bearer ${token.reveal()}` };
    const response = await request(route, { ...parameters, headers }).catch((error: unknown) => {
      throw explainFailure(error);
    });
    const parsed = answer.safeParse(response.data);
    // A proxy's page, or a body that broke off: Octokit hands both out as if they were answers.
    if (!parsed.success) throw new GithubUnavailable('GitHub answered something that cannot be read.');
    return { data: parsed.data, nextPage: nextPage(response.headers.link) };
  };
}

/** Octokit's error holds the whole request: it is read here, and goes no further. */
export function explainFailure(error: unknown): GithubUnavailable | GithubRefused {
  if (isGithubError(error)) return error;
  if (hasCause(error) && error.cause instanceof GithubRefused) return error.cause;
  const answer = answerIn(error);
  if (answer) return explainAnswer(answer, Date.now() / 1000);
  const isLate = hasCause(error) && nameOf(error.cause) === 'TimeoutError';
  return new GithubUnavailable(isLate ? 'GitHub did not answer in time.' : 'GitHub cannot be reached.');
}

function answerIn(error: unknown): Parameters<typeof explainAnswer>[0] | null {
  if (typeof error !== 'object' || error === null || !('response' in error)) return null;
  return error.response as Parameters<typeof explainAnswer>[0];
}

function hasCause(error: unknown): error is { cause: unknown } {
  return typeof error === 'object' && error !== null && 'cause' in error;
}

function nameOf(error: unknown): string | null {
  const hasName = typeof error === 'object' && error !== null && 'name' in error;
  return hasName && typeof error.name === 'string' ? error.name : null;
}
