import { afterAll, beforeAll, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const get = (path: string) => supertest(api.app).get(path);

test.each([
  ['/docs', ''],
  ['/docs/', ''],
  ['/api/v1/docs', '/api/v1'],
])('%s and all it names are there, without a token', async (path, base) => {
  const page = await get(path);
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  const named = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
  const files = named.filter((url) => !url.startsWith('data:'));
  expect(files).toEqual([
    `${base}/docs/swagger-ui.css`,
    `${base}/docs/swagger-ui-bundle.js`,
    `${base}/docs/init.js`,
  ]);
  for (const file of files) {
    const answer = await get(file);
    expect([file, answer.status]).toEqual([file, 200]);
    expect(answer.headers['content-type']).toMatch(
      file.endsWith('.css') ? /^text\/css/ : /^text\/javascript/,
    );
  }
});

test('T55: its policy lets nothing in from elsewhere and nothing inline', async () => {
  const { headers, text } = await get('/docs');
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self'; /,
  );
  expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
  expect(text).not.toMatch(/<script>|<style| on\w+=|https?:/);
});

test('the page sends the address of the document to nobody', async () => {
  expect((await get('/docs/init.js')).text).toContain('validatorUrl: null');
});

test.each([
  'package.json',
  'swagger-ui-bundle.js.map',
  '..%2Fpackage.json',
  '%2e%2e/express/index.js',
  '.env',
])('T44: nothing else of the disk is served: %s', async (name) => {
  expect((await get(`/docs/${name}`)).status).toBe(404);
});
