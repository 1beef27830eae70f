import { describe, expect, test } from '@jest/globals';
import { explainAnswer } from './explain-answer.ts';
import { GithubRefused, GithubUnavailable } from './github-error.ts';

const NOW = 1_800_000_000;
const explain = (status: number, headers: Record<string, string> = {}, data: unknown = {}) =>
  explainAnswer({ status, headers, data }, NOW);

describe('F46: what passes by itself', () => {
  test.each([
    ['the hourly limit', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW + 600) }, 600],
    ['it, but the clocks differ', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }, 1],
    ['too much at once', 403, { 'retry-after': '30' }, 30],
    ['the same as 429', 429, { 'retry-after': '7' }, 7],
    ['429 without a time', 429, {}, 60],
    ['a reset without being spent', 429, { 'x-ratelimit-reset': String(NOW + 600) }, 60],
  ])('%s', (_what, status, headers, retryAfterSeconds) => {
    expect(explain(status, headers)).toMatchObject({
      name: 'GithubUnavailable',
      reason: 'rate_limited',
      retryAfterSeconds,
    });
  });

  test('a limit that is told in words only', () => {
    const data = { message: 'You have exceeded a secondary rate limit.' };
    expect(explain(403, {}, data)).toMatchObject({ reason: 'rate_limited', retryAfterSeconds: 60 });
  });

  test.each([500, 502, 503, 504, 408])('HTTP %i', (status) => {
    expect(explain(status, {}, '<html>')).toEqual(
      new GithubUnavailable(`GitHub has trouble of its own (HTTP ${status}).`),
    );
  });
});

describe('what does not', () => {
  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [451, 'forbidden'],
    [404, 'not_found'],
    [410, 'not_found'],
    [409, 'invalid'],
    [422, 'invalid'],
  ])('HTTP %i: %s', (status, reason) => {
    const refusal = explain(status, { 'x-ratelimit-remaining': '12' }, { message: 'No' });
    expect(refusal).toBeInstanceOf(GithubRefused);
    expect(refusal).toMatchObject({ reason, message: `GitHub refused (HTTP ${status}): No` });
  });

  test('a permission that was not granted', () => {
    const message = 'The permissions requested are not granted to this installation.';
    expect(explain(422, {}, { message })).toMatchObject({ reason: 'not_granted' });
  });

  test('is told with GitHub’s details, without addresses and controls, and not at length', () => {
    const data = {
      message: 'Validation\u001b[2J Failed',
      errors: [{ message: `see https://x.test/?t=1 ${'x'.repeat(500)}` }, 'y', {}, null],
    };
    const { message } = explain(422, {}, data);
    expect(message).toMatch(/^GitHub refused \(HTTP 422\): Validation \[2J Failed: see \(URL\) x+$/);
    expect(message.length).toBeLessThan(240);
  });

  test.each([[undefined], ['text'], [null], [{}]])('a body of %j gives no reason', (data) => {
    expect(explain(404, {}, data).message).toBe('GitHub refused (HTTP 404): it gave no reason');
  });
});
