import { describe, expect, test } from '@jest/globals';
import { describeLost, judgeLoad, type LoadAnswer } from './load-report.ts';

const answer = (release: string | null, startedAt: number, more: Partial<LoadAnswer> = {}): LoadAnswer => ({
  kind: 'keep-alive',
  startedAt,
  endedAt: startedAt + 5,
  status: 200,
  release,
  error: null,
  ...more,
});

describe('the judge of a load run', () => {
  test('A1: finds nothing wrong with a clean switch', () => {
    const verdict = judgeLoad(
      [answer('v1', 0), answer('v1', 8), answer('v2', 9), answer('v2', 20)],
      ['v1', 'v2'],
    );
    expect(verdict).toMatchObject({ total: 4, lost: [], stale: [], byRelease: { v1: 2, v2: 2 } });
  });

  test('A1: an old answer whose request began before the new release was seen is no fault', () => {
    const slow = answer('v1', 10, { kind: 'slow-post', endedAt: 2_000 });
    expect(judgeLoad([slow, answer('v2', 100)], ['v1', 'v2']).stale).toEqual([]);
  });

  test('A1: an old answer to a request sent after the new release was seen is stale', () => {
    const late = answer('v1', 106);
    expect(judgeLoad([answer('v2', 100), late], ['v1', 'v2']).stale).toEqual([late]);
  });

  test.each([
    ['a reset', answer(null, 0, { status: null, error: 'ECONNRESET' }), 'ECONNRESET'],
    ['a 502', answer(null, 0, { status: 502 }), 'status 502'],
    ['a fallback page', answer(null, 0), 'release null'],
    ['the body of another app', answer('other', 0), 'release other'],
  ])('A1: %s is a lost request', (_, bad, words) => {
    const verdict = judgeLoad([answer('v1', 0), bad], ['v1']);
    expect(verdict.lost).toEqual([bad]);
    expect(describeLost(verdict)).toContain(words);
  });
});
