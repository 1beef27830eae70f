import { describe, expect, test } from '@jest/globals';
import { whichRepository } from './which-repository.ts';

const DOT_COM = 'https://github.com';

describe('a repository at GitHub', () => {
  test.each([
    ['https://github.com/Ada/Shop', DOT_COM],
    ['https://github.com/ada/shop.git', DOT_COM],
    ['https://GitHub.com/ada/shop/', DOT_COM],
    ['ssh://git@github.com/ada/shop.git', DOT_COM],
    ['git@github.com:ada/shop.git', DOT_COM],
    ['https://git.acme.test:8443/ada/shop', 'https://git.acme.test:8443'],
    ['git@git.acme.test:ada/shop', 'https://git.acme.test:8443'],
  ])('%s is ada/shop of %s', (url, github) => {
    expect(whichRepository(url, github)).toEqual({ owner: 'ada', name: 'shop', fullName: 'ada/shop' });
  });

  test.each([
    ['https://gitlab.com/ada/shop', DOT_COM],
    ['https://github.com.evil.test/ada/shop', DOT_COM],
    ['https://github.com:444/ada/shop', DOT_COM],
    ['https://git.acme.test/ada/shop', 'https://git.acme.test:8443'],
    ['https://github.com/ada', DOT_COM],
    ['https://github.com/ada/shop/tree/main', DOT_COM],
    ['not a URL', DOT_COM],
  ])('%s is none of %s', (url, github) => {
    expect(whichRepository(url, github)).toBeNull();
  });
});
