import { z } from 'zod';
import { type AboutApi, openApiDocument } from '../openapi/document.ts';
import { type Operation, op } from '../openapi/operation.ts';

/** The document of all operations, this one included. */
export function documentRoute(others: readonly Operation[], about: AboutApi): Operation {
  let document: ReturnType<typeof openApiDocument> | null = null;
  const route = op({
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    tag: 'platform',
    summary: 'This document',
    auth: 'none',
    responses: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
    async handler() {
      document ??= openApiDocument([...others, route], about);
      return { status: 200, body: { ...document } };
    },
  });
  return route;
}
