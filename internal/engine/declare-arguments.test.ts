import { expect, test } from '@jest/globals';
import { declareArguments } from './declare-arguments.ts';

const dockerfile = 'FROM node:20 AS build\nRUN npm ci\nFROM node:20-slim\nCOPY --from=build /app /app\n';

test('each stage of a generated Dockerfile knows the build variables, and the image none', () => {
  expect(declareArguments(dockerfile, ['NPM_TOKEN', 'VITE_API_URL'])).toBe(
    [
      'FROM node:20 AS build',
      'ARG NPM_TOKEN VITE_API_URL',
      'RUN npm ci',
      'FROM node:20-slim',
      'ARG NPM_TOKEN VITE_API_URL',
      'COPY --from=build /app /app',
      '',
    ].join('\n'),
  );
});

test('without build variables it stays as it is', () => {
  expect(declareArguments(dockerfile, [])).toBe(dockerfile);
});
