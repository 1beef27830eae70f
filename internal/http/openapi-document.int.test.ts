import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { appSchema } from '../apps/app-view.ts';
import { problemSchema } from '../openapi/schemas.ts';
import { operationsOf } from './operations.ts';

interface Entry {
  operationId: string;
  security: unknown[];
  requestBody?: { required: boolean; content: Record<string, { schema: { $ref?: string } }> };
  responses: Record<string, unknown>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Entry>>;
  components: { schemas: Record<string, { examples?: unknown[]; additionalProperties?: boolean }> };
}

let api: ApiUnderTest;
let document: Document;
beforeAll(async () => {
  api = await startApi();
  document = (await supertest(api.app).get('/api/v1/openapi.json')).body;
});
afterAll(() => api?.close());

const entries = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, entry]) => ({ path, method, entry })),
  );

test('it is a valid OpenAPI 3.1 document', async () => {
  expect(document.openapi).toBe('3.1.0');
  const { body } = await supertest(api.app).get('/openapi.json');
  const result = await new Validator().validate(body);
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
});

test('every route that is mounted is in it, and the reverse', () => {
  const mounted = routesOf(api.app.router as unknown as Layered)
    .filter(({ path }) => !path.split('/').includes('services'))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const documented = entries().map(({ method, path }) => `${method} ${path}`);
  expect(new Set(mounted)).toEqual(new Set(documented));
  expect(documented.length).toBeGreaterThanOrEqual(11);
});

test('every operation has a name of its own', () => {
  const ids = entries().map(({ entry }) => entry.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('T41: every operation answers 401 without a token, but for those that say they need none', async () => {
  const open: string[] = [];
  for (const { path, method, entry } of entries()) {
    const url = `/api/v1${path.replace('{id}', 'aaaaaaaaaa').replace('{file}', 'init.js')}`;
    const answer = await supertest(api.app)
      [method as 'get'](url)
      .send(method === 'get' ? undefined : {});
    if (entry.security.length === 0) open.push(entry.operationId);
    else expect([entry.operationId, answer.status]).toEqual([entry.operationId, 401]);
  }
  const webhooks = ['receiveAppWebhook', 'receiveGithubAppWebhook'];
  const signIn = ['leaveForGithub', 'arriveFromGithub', 'listSignInMethods'];
  expect(open.toSorted()).toEqual(
    ['health', 'openapi', 'reference', 'referenceFile', ...webhooks, ...signIn].toSorted(),
  );
});

test('F10: every POST that creates or queues takes an Idempotency-Key', () => {
  // What GitHub delivers has an id of its own.
  const without = operationsOf(api.needs).filter(
    (one) => one.method === 'post' && !one.takesIdempotencyKey && !one.rawBody,
  );
  // These change nothing when they come again, with or without a key.
  const harmless = ['cancelDeployment', 'findInstallations', 'resumeApp', 'signIn', 'signOut', 'stopApp'];
  // The answer would have to be kept, and holds the token.
  const secret = ['createToken'];
  expect(without.map(({ id }) => id).toSorted()).toEqual([...harmless, ...secret].toSorted());
});

describe('examples', () => {
  test('every body and every JSON answer of its own has one, and nothing unknown is allowed in bodies', () => {
    const operations = operationsOf(api.needs);
    for (const { entry } of entries()) {
      const reference = entry.requestBody?.content['application/json']?.schema.$ref;
      if (!entry.requestBody) continue;
      const name = reference?.split('/').at(-1) ?? '';
      expect([entry.operationId, document.components.schemas[name]?.examples?.length ?? 0]).not.toEqual([
        entry.operationId,
        0,
      ]);
      // What others send may grow.
      const isOurs = !operations.find(({ id }) => id === entry.operationId)?.rawBody;
      if (isOurs) expect(document.components.schemas[name]?.additionalProperties).toBe(false);
    }
  });

  test('each is valid against its schema', () => {
    const schemas = operationsOf(api.needs).flatMap(({ body, responses }) => [
      ...(body ? [body] : []),
      ...Object.values(responses).flatMap(({ schema }) => (schema ? [schema] : [])),
    ]);
    const withExamples = [problemSchema, appSchema, ...schemas].filter((schema) => schema.meta()?.examples);
    expect(withExamples.length).toBeGreaterThanOrEqual(10);
    for (const schema of withExamples) {
      for (const example of (schema.meta()?.examples ?? []) as unknown[]) {
        expect([schema.meta()?.id, schema.safeParse(example).error?.issues]).toEqual([
          schema.meta()?.id,
          undefined,
        ]);
      }
    }
  });
});

interface Layered {
  stack: {
    route?: { path: string; methods?: Record<string, boolean>; stack: { method?: string }[] };
    handle: unknown;
  }[];
}

/** Routes of a router and of the routers below it, without the ones that answer 405. */
function routesOf(router: Layered): { method: string; path: string }[] {
  return router.stack.flatMap(({ route, handle }) => {
    if (route) {
      return route.stack.flatMap(({ method }) =>
        method === undefined ? [] : [{ method, path: route.path }],
      );
    }
    return isRouter(handle) ? routesOf(handle) : [];
  });
}

function isRouter(handle: unknown): handle is Layered {
  return typeof handle === 'function' && 'stack' in handle;
}
