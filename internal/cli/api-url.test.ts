import { describe, expect, test } from '@jest/globals';
import { isExposed, parseApiUrl } from './api-url.ts';

describe('the address of an installation', () => {
  test.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
    ['  https://Berth.Example.org/api/v1/ ', 'https://berth.example.org'],
    ['https://example.org/berth/', 'https://example.org/berth'],
    ['berth.example.org', null],
    ['localhost:8080', null],
    ['ftp://example.org', null],
    ['file:///etc/passwd', null],
    ['https://me:secret@example.org', null],
    ['https://example.org/?token=1', null],
    ['', null],
  ])('%j is %j', (text, url) => {
    expect(parseApiUrl(text)).toBe(url);
  });

  test.each([
    ['http://127.0.0.1:8080', false],
    ['http://[::1]:8080', false],
    ['http://berth.localhost', false],
    ['https://berth.example.org', false],
    ['http://berth.example.org', true],
    ['http://127.0.0.1.example.org', true],
    ['http://10.0.0.1:8080', true],
  ])('a token to %s is exposed: %s', (url, exposed) => {
    expect(isExposed(url)).toBe(exposed);
  });
});
