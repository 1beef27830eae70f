import { expect, test } from '@jest/globals';
import { isOwnPage } from './own-page.ts';

const HTTPS = 'https://berth.example';

const asked = (headers: Readonly<Record<string, string>>, publicOrigin = HTTPS) =>
  isOwnPage({ get: ((name: string) => headers[name]) as never }, publicOrigin);

test.each<[string, Record<string, string>]>([
  ['the browser says so', { 'sec-fetch-site': 'same-origin', origin: HTTPS }],
  ['typed into the address line', { 'sec-fetch-site': 'none' }],
  ['our origin', { origin: HTTPS, host: 'berth.example' }],
  ['our origin behind a proxy with another Host', { origin: HTTPS, host: '10.0.0.5:8080' }],
  ['through a tunnel', { origin: 'http://localhost:8080', host: 'localhost:8080' }],
])('a page of ours: %s', (_what, headers) => {
  expect(asked(headers)).toBe(true);
});

test.each<[string, Record<string, string>]>([
  ['nothing is said', {}],
  ['no Origin', { host: 'berth.example' }],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['an app below the same domain', { 'sec-fetch-site': 'same-site', origin: 'https://shop.berth.example' }],
  ['the same, without Sec-Fetch-Site', { origin: 'https://shop.berth.example', host: 'berth.example' }],
  ['another site that says our origin', { 'sec-fetch-site': 'cross-site', origin: HTTPS }],
  ['our host without https', { origin: 'http://berth.example', host: 'berth.example' }],
  ['another port', { origin: `${HTTPS}:8443`, host: 'berth.example' }],
  ['a sandboxed frame', { origin: 'null', host: 'berth.example' }],
  ['an Origin that begins like ours', { origin: `${HTTPS}.evil.example`, host: 'berth.example' }],
  ['an empty one', { origin: '', host: '' }],
])('T50: no page of ours: %s', (_what, headers) => {
  expect(asked(headers)).toBe(false);
});
