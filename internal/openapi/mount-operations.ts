import { type Request, type Response, Router } from 'express';
import { AppError } from '../errors/app-error.ts';
import { type Caller, type Operation, STREAMED } from './operation.ts';
import { requirePermission } from './permission.ts';
import { readBody, readRawBody } from './read-body.ts';

export interface MountOptions {
  /** @throws AppError unauthorized */
  readonly authenticate: (request: Request) => Promise<Caller>;
  /** Counts a request before it costs anything. @throws AppError rate_limited */
  readonly admit?: (caller: Caller, operation: Operation) => Promise<void>;
  /** Tests: an answer that its own schema refuses is an error. */
  readonly checkAnswers?: boolean;
}

const NO_BYTES = Buffer.alloc(0);

/** A router with every operation, under both words for an app, `apps` and `services`; other methods answer 405. */
export function mountOperations(operations: readonly Operation[], options: MountOptions): Router {
  const router = Router({ caseSensitive: true });
  const methodsByPath = new Map<string, Set<string>>();
  for (const operation of operations) {
    for (const path of pathsOf(operation)) {
      router[operation.method](path, (request, response) =>
        answer(operation, { request, response }, options),
      );
      const methods = methodsByPath.get(path) ?? new Set();
      methodsByPath.set(path, methods.add(operation.method.toUpperCase()));
    }
  }
  // A fixed word before a parameter in its place: `/env/export` is no key.
  const mostFixedFirst = [...methodsByPath].toSorted(([a], [b]) => parametersOf(a) - parametersOf(b));
  for (const [path, methods] of mostFixedFirst) {
    const allow = [...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    router.all(path, (request, response) => {
      response.set('Allow', allow);
      if (request.method === 'OPTIONS') return response.status(204).end();
      throw new AppError('method_not_allowed', `${request.method} is not possible here; use ${allow}.`);
    });
  }
  return router;
}

function parametersOf(path: string): number {
  return path.split('/:').length;
}

/** Wherever `apps` stands as a part of the path, `services` may stand too. */
function pathsOf(operation: Operation): string[] {
  const alias = operation.path.replace(/\/apps(?=\/|$)/g, '/services');
  return alias === operation.path ? [alias] : [operation.path, alias];
}

async function answer(
  operation: Operation,
  { request, response }: { request: Request; response: Response },
  options: MountOptions,
): Promise<void> {
  const caller = operation.auth === 'token' ? await options.authenticate(request) : null;
  if (caller) {
    requirePermission(caller, operation);
    await options.admit?.(caller, operation);
  }
  // After the token: nobody else's body is read.
  if (operation.body) await readBody(request, response);
  const { maxBytes } = operation.rawBody ?? {};
  const rawBody = maxBytes === undefined ? NO_BYTES : await readRawBody(request, response, maxBytes);
  const result = await operation.run({
    caller,
    requestId: response.get('X-Request-Id') ?? '',
    address: request.ip ?? '',
    rawBody,
    request,
    response,
  });
  if (result === STREAMED) return;

  if (options.checkAnswers) operation.responses[result.status]?.schema?.parse(result.body);
  response.status(result.status).set({ 'Cache-Control': 'no-store', ...result.headers });
  if (result.body === undefined) response.end();
  else response.json(result.body);
}
