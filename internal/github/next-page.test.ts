import { expect, test } from '@jest/globals';
import { nextPage } from './next-page.ts';

test.each([
  ['<https://api.github.com/user/repos?per_page=2&page=2>; rel="next", <https://x/?page=9>; rel="last"', 2],
  ['<https://x/?page=1>; rel="prev", <https://x/?page=3>; rel="next"', 3],
  ['<https://x/?page=1>; rel="first"', null],
  ['<https://x/?after=abc>; rel="next"', null],
  ['<no address>; rel="next"', null],
  ['', null],
  [undefined, null],
])('%j leads to page %j', (link, page) => {
  expect(nextPage(link)).toBe(page);
});
