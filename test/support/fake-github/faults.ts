import type { NextFunction, Request, Response } from 'express';
import { Refusal } from './answers.ts';

/** How a route may go wrong. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly message?: string }
  /** The hourly limit: 403, nothing remaining, and when it begins anew. */
  | { readonly kind: 'rate_limit'; readonly resetInSeconds: number }
  /** Too much at once: 403 (or 429) with Retry-After. */
  | { readonly kind: 'secondary_limit'; readonly retryAfterSeconds: number; readonly status?: 403 | 429 }
  /** The request is taken and never answered. */
  | { readonly kind: 'hang' }
  /** The connection breaks. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** Something else than JSON, as a proxy in between may send. */
  | { readonly kind: 'html'; readonly status: number };

interface Rule {
  readonly route: RegExp;
  readonly fault: Fault;
  left: number;
}

/** Faults by route; the newest that fits counts. */
export class Faults {
  readonly #rules: Rule[] = [];

  /**
   * @param route held against `GET /user/repos`: API paths without their prefix, others as they are
   * @param times how often; default: until `heal`
   */
  add(route: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#rules.unshift({ route, fault, left: times });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  middleware(nameOf: (request: Request) => string) {
    return (request: Request, response: Response, next: NextFunction): void => {
      const rule = this.#rules.find(({ route, left }) => left > 0 && route.test(nameOf(request)));
      if (!rule) next();
      else {
        rule.left -= 1;
        commit(rule.fault, response);
      }
    };
  }
}

function commit(fault: Fault, response: Response): void {
  switch (fault.kind) {
    case 'status':
      throw new Refusal(fault.status, fault.message ?? 'Server Error');
    case 'rate_limit':
      throw new Refusal(403, 'API rate limit exceeded for user ID 1.', {
        headers: {
          'X-RateLimit-Limit': '5000',
          'X-RateLimit-Remaining': '0',
          'X-RateLimit-Reset': String(Math.floor(Date.now() / 1000) + fault.resetInSeconds),
        },
      });
    case 'secondary_limit':
      throw new Refusal(
        fault.status ?? 403,
        'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
        { headers: { 'Retry-After': String(fault.retryAfterSeconds) } },
      );
    case 'hang':
      break;
    case 'reset':
      response.destroy();
      break;
    case 'redirect':
      response.redirect(302, fault.to);
      break;
    case 'html':
      response.status(fault.status).type('html').send('<html><body>Bad Gateway</body></html>');
      break;
    default:
      fault satisfies never;
  }
}
