import { expect, test } from '@jest/globals';
import { readBuilderNews } from './builder-news.ts';

test.each([
  [{ stream: ' ---> Running in 0123456789ab\n' }, { kind: 'step_container', id: '0123456789ab' }],
  [{ stream: ' ---> ba9876543210\n' }, { kind: 'layer', id: 'ba9876543210' }],
  [{ stream: ' ---> Using cache\n' }, null],
  [{ stream: 'Removing intermediate container 0123456789ab\n' }, null],
  [{ stream: 'I am ---> Running in 0123456789ab\n' }, null],
  [{ stream: ' ---> Running in 0123456789ab/../x\n' }, null],
  [{ aux: { ID: 'sha256:1' } }, null],
  ['text', null],
  [null, null],
])('%j is read as %j', (message, news) => {
  expect(readBuilderNews(message)).toEqual(news);
});
