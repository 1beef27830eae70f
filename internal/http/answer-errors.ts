import type { ErrorRequestHandler, RequestHandler } from 'express';
import { AppError } from '../errors/app-error.ts';
import { asAppError, problemOf } from './problem.ts';

const RETRY_SECONDS = 5;

export const answerNotFound: RequestHandler = (request) => {
  throw new AppError(
    'not_found',
    `${request.method} leads nowhere here; /api/v1/openapi.json lists all paths.`,
  );
};

/** The one place where an error becomes an answer, and where a bug or an outage is logged, once. */
export const answerErrors: ErrorRequestHandler = (thrown, request, response, _next) => {
  const error = asAppError(thrown);
  if (error.status >= 500) request.log.error({ err: thrown, code: error.code }, 'request failed');
  if (response.headersSent) {
    // Half an answer is out; a cut connection is the only honest end of it.
    response.destroy();
    return;
  }
  if (error.code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer realm="berth"');
  const retryAfter = error.retryAfterSeconds ?? (error.status === 503 ? RETRY_SECONDS : null);
  if (retryAfter !== null) response.set('Retry-After', String(retryAfter));
  response
    .status(error.status)
    .set({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' })
    .send(JSON.stringify(problemOf(error, response.get('X-Request-Id') ?? '')));
};
