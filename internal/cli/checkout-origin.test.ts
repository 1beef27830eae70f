import { describe, expect, test } from '@jest/globals';
import { originOf, repositoryKey } from './checkout-origin.ts';

describe('the origin of a checkout', () => {
  test('is the URL of its remote "origin"', () => {
    const config = [
      '[core]',
      '\tbare = false',
      '[remote "upstream"]',
      '\turl = https://github.com/other/shop',
      '[remote "origin"]',
      '\tfetch = +refs/heads/*:refs/remotes/origin/*',
      '\turl = git@github.com:acme/shop.git',
      '[branch "main"]',
      '\tremote = origin',
    ].join('\n');
    expect(originOf(config)).toBe('git@github.com:acme/shop.git');
    expect(originOf('[core]\n\turl = x')).toBeNull();
    expect(originOf('')).toBeNull();
  });

  test.each([
    ['https://github.com/acme/shop', 'github.com/acme/shop'],
    ['https://github.com/Acme/Shop.git', 'github.com/acme/shop'],
    ['https://token@github.com/acme/shop/', 'github.com/acme/shop'],
    ['git@github.com:acme/shop.git', 'github.com/acme/shop'],
    ['ssh://git@github.com/acme/shop.git', 'github.com/acme/shop'],
    ['http://127.0.0.1:8083/sample.git', '127.0.0.1:8083/sample'],
    ['/srv/git/shop.git', null],
    ['https://github.com/', null],
    ['', null],
  ])('%s is %s', (url, key) => {
    expect(repositoryKey(url)).toBe(key);
  });
});
