import type { NextFunction, Request, Response } from 'express';

/** GitHub's error answers, word for word where it matters: thrown by a route, sent by `sendRefusals`. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: { body?: object; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.body = {
      message,
      documentation_url: 'https://docs.github.com/rest',
      status: String(status),
      ...more.body,
    };
    this.headers = more.headers ?? {};
  }
}

export const badCredentials = () => new Refusal(401, 'Bad credentials');
export const needsAuthentication = () => new Refusal(401, 'Requires authentication');
export const notFound = () => new Refusal(404, 'Not Found');
export const notForApp = () => new Refusal(403, 'Resource not accessible by integration');
export const suspended = () => new Refusal(403, 'This installation has been suspended');

export function invalid(resource: string, message: string): Refusal {
  return new Refusal(422, 'Validation Failed', { body: { errors: [{ resource, code: 'custom', message }] } });
}

/** Express knows an error handler by its four parameters. */
export function sendRefusals(
  error: unknown,
  _request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (error instanceof Refusal) response.status(error.status).set(error.headers).json(error.body);
  else next(error);
}

/** One page of a list, as `page` and `per_page` ask, with GitHub's Link header. */
export function page<T>(asked: URL, response: Response, items: readonly T[]): readonly T[] {
  const number = Number(asked.searchParams.get('page') ?? 1);
  const size = Math.min(Number(asked.searchParams.get('per_page') ?? 30), 100);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string) => {
    const url = new URL(asked);
    url.searchParams.set('page', String(to));
    return `<${url.href}>; rel="${rel}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
    ...(number > 1 ? [link(1, 'first')] : []),
  ];
  if (links.length > 0) response.set('Link', links.join(', '));
  return items.slice((number - 1) * size, number * size);
}
