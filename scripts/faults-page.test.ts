import { expect, test } from '@jest/globals';
import { FAULTS } from '../test/faults.ts';
import { faultsPage, idsOf } from './faults-page.ts';

test('a test is listed under each of its ids, with its file and its result', () => {
  const result = {
    name: 'a worker F01 F37: that is killed',
    file: 'test/e2e/x.test.ts',
    status: 'passed',
  } as const;
  const page = faultsPage([result], '2026-11-21');
  expect(page.match(/- passed: a worker that is killed \(`test\/e2e\/x\.test\.ts`\)/g)).toHaveLength(2);
  expect(page).toContain('## F01: worker killed right after it took a deployment');
  expect(page).toContain('from the run of 2026-11-21');
});

test('the same tests give the same page, in whatever order they ended, and each takes one line', () => {
  const result = (name: string) => ({ name, file: 'x.test.ts', status: 'passed' }) as const;
  const results = [result('F01: b'), result('F01: a →\n  {\n}')];
  const page = faultsPage(results, '2026-11-21');
  expect(page).toContain('- passed: a → { } (`x.test.ts`)\n- passed: b (`x.test.ts`)\n');
  expect(faultsPage(results.toReversed(), '2026-11-21')).toBe(page);
});

test('ids are read out of names, and nothing else is', () => {
  expect(idsOf('F01 F02: x')).toEqual(['F01', 'F02']);
  expect(idsOf('A1, T45: FROM F100 HF12')).toEqual(['A1', 'T45']);
});

test('every fault is there once, in order', () => {
  expect(FAULTS.map(({ id }) => id)).toEqual(
    Array.from({ length: 54 }, (_, index) => `F${String(index + 1).padStart(2, '0')}`),
  );
});
