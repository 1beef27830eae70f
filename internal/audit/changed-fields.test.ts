import { expect, test } from '@jest/globals';
import { changedFields } from './changed-fields.ts';

const before = { port: null, branch: 'main', replicas: 1, paths: ['a', 'b'] };

test.each([
  [{ port: 8080 }, { port: [null, 8080] }],
  [{ branch: null }, { branch: ['main', null] }],
  [{ replicas: 2, branch: 'main' }, { replicas: [1, 2] }],
  [
    { paths: ['b', 'a'] },
    {
      paths: [
        ['a', 'b'],
        ['b', 'a'],
      ],
    },
  ],
  [{ paths: ['a', 'b'], port: null }, {}],
  [{ port: undefined }, {}],
  [{}, {}],
])('%j changes %j', (asked, changes) => {
  expect(changedFields<keyof typeof before>(before, asked)).toEqual(changes);
});
