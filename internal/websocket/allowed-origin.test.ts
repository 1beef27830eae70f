import { expect, test } from '@jest/globals';
import { AppError } from '../errors/app-error.ts';
import type { Caller } from '../openapi/operation.ts';
import { requireOwnOrigin } from './allowed-origin.ts';

const OURS = ['https://berth.example', 'https://panel.example:8443'];

test.each<[string | undefined, Caller['via']]>([
  ['https://berth.example', 'session'],
  ['https://panel.example:8443', 'session'],
  ['https://berth.example', 'token'],
  [undefined, 'token'],
  [undefined, 'local'],
])('T51: %s by %s may open a socket', (origin, via) => {
  expect(() => requireOwnOrigin(origin, via, OURS)).not.toThrow();
});

test.each<[string | undefined, Caller['via']]>([
  [undefined, 'session'],
  ['https://evil.example', 'session'],
  ['https://evil.example', 'token'],
  ['https://evil.example', 'local'],
  ['https://berth.example.evil.example', 'session'],
  ['https://evil.example/https://berth.example', 'session'],
  ['http://berth.example', 'session'],
  ['https://berth.example:443', 'session'],
  ['https://berth.example/', 'session'],
  ['HTTPS://berth.example', 'session'],
  ['https://panel.example', 'session'],
  ['null', 'session'],
  ['', 'session'],
])('T51: %s by %s may not', (origin, via) => {
  expect(() => requireOwnOrigin(origin, via, OURS)).toThrow(AppError);
});
