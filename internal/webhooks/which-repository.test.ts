import { expect, test } from '@jest/globals';
import { githubRepository } from './which-repository.ts';

const GITHUB = 'https://github.com';
const ENTERPRISE = 'https://git.example.org:8443';

test.each<[string, string, string | null]>([
  ['https://github.com/Acme/Shop', GITHUB, 'acme/shop'],
  ['https://GitHub.com/acme/shop.git', GITHUB, 'acme/shop'],
  ['https://github.com/acme/shop.git/', GITHUB, 'acme/shop'],
  ['https://github.com/acme/.git.git', GITHUB, 'acme/.git'],
  ['git@github.com:acme/Shop.git', GITHUB, 'acme/shop'],
  ['ssh://git@github.com/acme/shop', GITHUB, 'acme/shop'],
  ['ssh://git@github.com:22/acme/shop.git', GITHUB, 'acme/shop'],
  ['https://git.example.org:8443/acme/shop', ENTERPRISE, 'acme/shop'],
  ['git@git.example.org:acme/shop', ENTERPRISE, 'acme/shop'],
  ['https://git.example.org/acme/shop', ENTERPRISE, null],
  ['https://gitlab.com/acme/shop', GITHUB, null],
  ['https://github.com.evil.example/acme/shop', GITHUB, null],
  ['https://evil.example/github.com/acme/shop', GITHUB, null],
  ['https://github.com/acme/group/shop', GITHUB, null],
  ['https://github.com/acme', GITHUB, null],
  ['/srv/git/shop', GITHUB, null],
])('%s at %s is %s', (repoUrl, githubUrl, expected) => {
  expect(githubRepository(repoUrl, githubUrl)).toBe(expected);
});
