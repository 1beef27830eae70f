import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Operation, op, STREAMED } from '../openapi/operation.ts';

const LIBRARY = 'swagger-ui-dist';
const LIBRARY_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'] as const;
const INIT = 'init.js';

/** Nothing from elsewhere, nothing inline. Styles that the library sets on elements by script are not inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The document as a page to read and try out. Its files are read from the disk when they are asked for. */
export function referenceRoutes(): Operation[] {
  return [
    op({
      method: 'get',
      path: '/docs',
      id: 'reference',
      tag: 'platform',
      summary: 'This document as a page',
      auth: 'none',
      responses: { 200: { description: 'The page', contentType: 'text/html' } },
      async handler(_input, { request, response }) {
        response.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' });
        response.type('html').send(pageAt(request.baseUrl));
        return STREAMED;
      },
    }),
    op({
      method: 'get',
      path: '/docs/:file',
      id: 'referenceFile',
      tag: 'platform',
      summary: 'A file of that page',
      auth: 'none',
      params: z.object({ file: z.enum([...LIBRARY_FILES, INIT]).meta({ example: INIT }) }),
      responses: { 200: { description: 'The file', contentType: ['text/javascript', 'text/css'] } },
      async handler({ params: { file } }, { request, response }) {
        response.set('Cache-Control', 'public, max-age=3600');
        if (file === INIT) response.type('js').send(INIT_SCRIPT);
        else await sendLibraryFile(file, { request, response });
        return STREAMED;
      },
    }),
  ];
}

/** @param base where the routes are mounted: nothing, or `/api/v1` */
function pageAt(base: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Berth: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}/docs/swagger-ui.css">
<body>
<div id="reference"></div>
<script src="${base}/docs/swagger-ui-bundle.js"></script>
<script src="${base}/docs/${INIT}"></script>
</body>
</html>
`;
}

/** Without `validatorUrl: null` the library would send the document's address to a server of its makers. */
const INIT_SCRIPT = `SwaggerUIBundle({
  url: new URL('../openapi.json', document.currentScript.src).href,
  dom_id: '#reference',
  validatorUrl: null,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
`;

function sendLibraryFile(
  file: string,
  { request, response }: { request: Request; response: Response },
): Promise<void> {
  const root = dirname(createRequire(import.meta.url).resolve(`${LIBRARY}/package.json`));
  const options = { root, acceptRanges: false, lastModified: false, cacheControl: false };
  return new Promise((sent, failed) => {
    response.sendFile(file, options, (error: unknown) => {
      // A reader who has left before the end is no fault.
      if (error && !response.headersSent && !request.destroyed) failed(error);
      else sent();
    });
  });
}
