import { describe, expect, test } from '@jest/globals';
import { explainAnswer, explainSilence, isPassing } from './explain-answer.ts';

const apiUrl = 'https://berth.example.org';
const problem = (code: string, detail: string) => JSON.stringify({ code, detail, title: 'x' });
const explain = (status: number, body: string, location: string | null = null) =>
  explainAnswer({ apiUrl, status, body, location });

describe('an answer that is no success', () => {
  test.each([
    ['a refusal', 409, problem('name_taken', 'There is one.'), 5, false, 'There is one.'],
    ['a bad token', 401, problem('unauthorized', 'x'), 4, false, /wants a token that it knows/],
    ['an outage', 503, problem('database_unavailable', 'Try again.'), 4, true, 'Try again.'],
    [
      'a health check without its database',
      503,
      '{"status":"unavailable","version":"0.1.0","database":"down","workers":null}',
      4,
      true,
      /answers, but cannot reach its database/,
    ],
    ['a fault', 500, problem('internal', 'A fault.'), 4, true, 'A fault.'],
    ['a proxy', 502, 'Bad Gateway', 4, true, /answered 502, and not as Berth does/],
    ['another server', 404, '<html>', 4, true, /not as Berth does/],
    ['no object', 404, 'null', 4, true, /not as Berth does/],
    ['success in HTML', 200, '<html>', 4, true, /not as Berth does/],
  ])('from %s', (_name, status, body, exitCode, passing, message) => {
    const error = explain(status, body);
    expect(error.exitCode).toBe(exitCode);
    expect(isPassing(error)).toBe(passing);
    expect(error.message).toMatch(message);
  });

  test('tells where a redirect leads', () => {
    expect(explain(308, '', 'https://other.example.org/').message).toContain('https://other.example.org/');
  });

  test('keeps the fields', () => {
    const errors = [{ field: '/name', message: 'is reserved' }];
    const body = JSON.stringify({ code: 'invalid_input', detail: 'x', errors });
    expect(explain(400, body).fields).toEqual(errors);
  });
});

describe('no answer', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code });
  test.each([
    [new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') }), 'nothing listens there'],
    [new TypeError('fetch failed', { cause: withCode('ENOTFOUND') }), 'there is no such host'],
    [new TypeError('terminated', { cause: withCode('UND_ERR_SOCKET') }), 'the connection was cut'],
    [new TypeError('fetch failed', { cause: new Error('bad port') }), 'bad port'],
    [new TypeError('fetch failed', { cause: withCode('EODD') }), 'EODD'],
    [
      new TypeError('fetch failed', { cause: new AggregateError([withCode('ECONNREFUSED')]) }),
      'nothing listens there',
    ],
    [new DOMException('', 'TimeoutError'), 'it did not answer in time'],
  ])('because of %s is told', (error, reason) => {
    const told = explainSilence(apiUrl, error);
    expect(told.message).toBe(`The API at ${apiUrl} cannot be reached: ${reason}.`);
    expect(told.exitCode).toBe(4);
    expect(isPassing(told)).toBe(true);
  });
});
