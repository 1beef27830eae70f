import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { API_ERRORS, type ApiErrorCode } from '../errors/app-error.ts';
import { IDEMPOTENCY_KEY } from './idempotent-request.ts';
import type { Operation, RawBody } from './operation.ts';
import { scopeOf } from './permission.ts';
import { problemSchema } from './schemas.ts';

export interface AboutApi {
  readonly publicUrl: string;
  readonly version: string;
  /** `none`: no operation needs a token. */
  readonly auth: 'token' | 'none';
  /** The cookie of a browser's session. */
  readonly sessionCookie: string;
}

/** The OpenAPI 3.1 document of these operations. */
export function openApiDocument(operations: readonly Operation[], about: AboutApi) {
  const registry = new OpenAPIRegistry();
  const token = registry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token, `berth_…`. The first one is in DATA_DIR/admin-token.',
  });
  const session = registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: about.sessionCookie,
    description:
      'The session of a browser, from GET /auth/github or POST /auth/session. What changes something must come from a ' +
      'page of this host: `Sec-Fetch-Site: same-origin`, or its `Origin`.',
  });
  for (const operation of operations) {
    registry.registerPath({
      method: operation.method,
      path: operation.path.replace(/:(\w+)/g, '{$1}'),
      operationId: operation.id,
      tags: [operation.tag],
      summary: operation.summary,
      ...(operation.description ? { description: operation.description } : {}),
      security: needsToken(operation, about) ? [{ [token.name]: [] }, { [session.name]: [] }] : [],
      request: requestOf(operation),
      responses: responsesOf(operation, about),
    });
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Berth',
      version: about.version,
      description:
        'A Git repository becomes a live, health-gated release behind Traefik. ' +
        'In every path `services` may stand for `apps`: `/services/{id}`, `/projects/{id}/services`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // First the host that this document came from, whatever its name is there: what the reference page may ask.
    servers: [{ url: '/api/v1' }, { url: `${about.publicUrl}/api/v1` }],
  });
}

const KEY_HEADERS = z.object({
  [IDEMPOTENCY_KEY]: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .optional()
    .meta({
      description:
        'Sent again within 24 hours with the same body, the request has no second effect and gets the same answer. ' +
        'Errors are not kept. Best a random UUID.',
    }),
});
const REPLAY_HEADERS = z.object({
  'Idempotency-Replayed': z.literal('true').optional().meta({ description: 'It is an earlier answer.' }),
});

function needsToken(operation: Operation, about: AboutApi): boolean {
  return operation.auth === 'token' && about.auth === 'token';
}

function mayBeForbidden(operation: Operation, about: AboutApi): boolean {
  return needsToken(operation, about) && (operation.ownerOnly === true || scopeOf(operation) !== 'read');
}

/** Of a session, see `auth/own-page.ts`. */
function needsOwnPage(operation: Operation, about: AboutApi): boolean {
  return needsToken(operation, about) && operation.method !== 'get';
}

function requestOf(operation: Operation): NonNullable<RouteConfig['request']> {
  return {
    ...(operation.params ? { params: operation.params } : {}),
    ...(operation.query ? { query: operation.query } : {}),
    ...(operation.takesIdempotencyKey ? { headers: KEY_HEADERS } : {}),
    ...(operation.headers ? { headers: operation.headers } : {}),
    ...(operation.rawBody ? { body: { required: true, content: contentOf(operation.rawBody) } } : {}),
    ...(operation.body
      ? {
          body: {
            required: !operation.body.safeParse({}).success,
            ...(operation.aliases ? { description: aliasesInWords(operation.aliases) } : {}),
            content: { 'application/json': { schema: operation.body } },
          },
        }
      : {}),
  };
}

function contentOf({ content }: RawBody) {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}

function aliasesInWords(aliases: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(aliases).map(([alias, field]) => `\`${alias}\` for \`${field}\``);
  return `Also taken: ${pairs.join(', ')}.`;
}

function responsesOf(operation: Operation, about: AboutApi): RouteConfig['responses'] {
  const responses: RouteConfig['responses'] = {};
  for (const [status, { description, schema, contentType }] of Object.entries(operation.responses)) {
    const content = contentType
      ? Object.fromEntries([contentType].flat().map((type) => [type, { schema: schemaOfText(type) }]))
      : schema && { 'application/json': { schema } };
    responses[status] = {
      description,
      ...(content ? { content } : {}),
      ...(operation.takesIdempotencyKey ? { headers: REPLAY_HEADERS } : {}),
    };
  }
  for (const [status, codes] of errorsByStatus(operation, about)) {
    responses[status] ??= {
      description: codes.map((code) => `\`${code}\`: ${API_ERRORS[code].title}.`).join(' '),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  }
  return responses;
}

/** What a stream of events is, OpenAPI 3.1 has no words for. */
function schemaOfText(contentType: string) {
  return contentType === 'text/event-stream' ? {} : { type: 'string' as const };
}

function errorsByStatus(operation: Operation, about: AboutApi): Map<number, ApiErrorCode[]> {
  const codes: ApiErrorCode[] = [
    'invalid_input',
    ...(operation.body || operation.rawBody
      ? (['malformed_json', 'body_too_large', 'unsupported_media_type'] as const)
      : []),
    ...(needsToken(operation, about) ? (['unauthorized', 'rate_limited'] as const) : []),
    ...(mayBeForbidden(operation, about) ? (['forbidden'] as const) : []),
    ...(needsOwnPage(operation, about) ? (['csrf_refused', 'unsupported_media_type'] as const) : []),
    ...(about.auth === 'none' ? (['not_local'] as const) : []),
    ...(operation.params ? (['not_found'] as const) : []),
    ...(operation.takesIdempotencyKey ? (['idempotency_key_reused'] as const) : []),
    ...(operation.errors ?? []),
    'internal',
    'database_unavailable',
  ];
  const byStatus = new Map<number, ApiErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = API_ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
