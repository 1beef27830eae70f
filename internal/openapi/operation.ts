import type { Request, Response } from 'express';
import type { ZodObject, ZodType, z } from 'zod';
import type { ApiErrorCode } from '../errors/app-error.ts';
import { type IdempotentRequest, readIdempotentRequest } from './idempotent-request.ts';
import { readInput } from './read-input.ts';

export type { IdempotentRequest };

/** What a token may do; each holds those before it. A browser session, and the local user of AUTH=none, have `admin`. */
export const SCOPES = ['read', 'deploy', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks: the owner of the token or session that came with the request, or with AUTH=none the one local user. */
export interface Caller {
  readonly userId: string;
  readonly userHash: string;
  readonly role: 'owner' | 'member';
  readonly via: 'token' | 'session' | 'local';
  readonly tokenId: string | null;
  readonly scope: Scope;
}

/** What a handler knows beside its input. `request` and `response` are for streams; everyone else returns an answer. */
export interface Call<C = Caller> {
  readonly caller: C;
  readonly requestId: string;
  readonly address: string;
  /** The Idempotency-Key it came with, of an operation that takes one. */
  readonly idempotent: IdempotentRequest | null;
  /** The bytes of the body, of an operation that asks for them; of others none. */
  readonly rawBody: Buffer;
  readonly request: Request;
  readonly response: Response;
}

/** Returned by a handler that has written the response itself. */
export const STREAMED = Symbol('streamed');

interface ResponseSpec {
  readonly description: string;
  /** JSON of this shape. Without it, and without `contentType`, there is no body. */
  readonly schema?: ZodType;
  /** Of a response that is not JSON: one of these. */
  readonly contentType?: string | readonly string[];
}
type Responses = Readonly<Record<number, ResponseSpec>>;

type AnswerWith<S, R> = {
  status: S;
  headers?: Readonly<Record<string, string>>;
} & (R extends { schema: infer T extends ZodType } ? { body: z.input<T> } : { body?: undefined });
export type Answer<R extends Responses> =
  | { [S in keyof R & number]: AnswerWith<S, R[S]> }[keyof R & number]
  | typeof STREAMED;

type Output<T> = T extends ZodType ? z.output<T> : Record<string, never>;

/** What an operation takes as bytes: how many, and for the document, what they say by their content type. */
export interface RawBody {
  readonly maxBytes: number;
  readonly content: Readonly<Record<string, ZodType>>;
}

interface Description {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As Express writes it: `/apps/:id`, below `/api/v1`. */
  readonly path: string;
  readonly id: string;
  readonly tag:
    | 'apps'
    | 'deployments'
    | 'logs'
    | 'projects'
    | 'environment'
    | 'webhooks'
    | 'github'
    | 'accounts'
    | 'audit'
    | 'platform';
  readonly summary: string;
  readonly description?: string;
  readonly auth: 'token' | 'none';
  /** What a token needs for it. Without it: `read` for GET, `admin` for the rest. */
  readonly scope?: Scope;
  /** Counted as a deployment, of which a user may ask for fewer. Default: what makes something with the scope `deploy`. */
  readonly queuesDeployment?: boolean;
  /** Only for the owner of the installation. */
  readonly ownerOnly?: boolean;
  /** Codes it may answer beside those every operation of its kind has. */
  readonly errors?: readonly ApiErrorCode[];
  /** Other spellings of body fields that are accepted: alias → field. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Instead of `body`: the handler gets the bytes as they came and reads them itself, for what is signed. */
  readonly rawBody?: RawBody;
  /** Headers that the handler reads, for the document. */
  readonly headers?: ZodObject;
  /** It takes an Idempotency-Key: its handler answers through `answersOnce` of `internal/idempotency`. */
  readonly takesIdempotencyKey?: boolean;
}

interface Definition<
  A extends 'token' | 'none',
  R extends Responses,
  P extends ZodObject | undefined,
  Q extends ZodObject | undefined,
  B extends ZodType | undefined,
> extends Description {
  readonly auth: A;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly responses: R;
  readonly handler: (
    input: { params: Output<P>; query: Output<Q>; body: Output<B> },
    call: Call<A extends 'token' ? Caller : null>,
  ) => Promise<Answer<NoInfer<R>>>;
}

/** A declared operation, as the router and the document see it. */
export interface Operation extends Description {
  readonly params: ZodObject | undefined;
  readonly query: ZodObject | undefined;
  readonly body: ZodType | undefined;
  readonly responses: Responses;
  run(call: Omit<Call<Caller | null>, 'idempotent'>): Promise<PlainAnswer | typeof STREAMED>;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Declares one operation of the API. The same schemas validate what comes in (strict: unknown fields are named), type
 * the handler, check what goes out in tests, and become the OpenAPI entry, so the four cannot drift apart.
 */
export function op<
  const A extends 'token' | 'none',
  const R extends Responses,
  P extends ZodObject | undefined = undefined,
  Q extends ZodObject | undefined = undefined,
  B extends ZodType | undefined = undefined,
>(definition: Definition<A, R, P, Q, B>): Operation {
  const { handler, ...described } = definition;
  return {
    ...described,
    params: definition.params,
    query: definition.query,
    body: definition.body,
    async run(call) {
      const input = readInput(definition, call.request);
      const { method, path } = definition;
      const idempotent = definition.takesIdempotencyKey
        ? readIdempotentRequest(call.request, { method, path, body: input.body })
        : null;
      // readInput has checked each part against its schema, and the router has resolved `caller` by `auth`: both
      // facts are beyond what these generics can say.
      return handler(
        input as Parameters<typeof handler>[0],
        { ...call, idempotent } as Parameters<typeof handler>[1],
      ) as Promise<PlainAnswer | typeof STREAMED>;
    },
  };
}
