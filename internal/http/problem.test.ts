import { describe, expect, test } from '@jest/globals';
import { API_ERRORS, AppError } from '../errors/app-error.ts';
import { asAppError, problemOf } from './problem.ts';

test('a problem has what RFC 9457 asks for, our code, and the fields where there are some', () => {
  const fields = [{ field: '/port', message: 'must be at least 1' }];
  expect(problemOf(new AppError('invalid_input', 'No.', { fields }), 'r1')).toEqual({
    type: 'urn:berth:problem:invalid_input',
    title: API_ERRORS.invalid_input.title,
    status: 400,
    detail: 'No.',
    code: 'invalid_input',
    errors: fields,
    request_id: 'r1',
  });
  expect(problemOf(new AppError('not_found', 'No.'), 'r2')).not.toHaveProperty('errors');
});

describe('whatever is thrown becomes one of our errors', () => {
  const named = (more: object) => Object.assign(new Error('select * from secrets'), more);
  test.each<[string, unknown, string]>([
    ['ours', new AppError('name_taken', 'x'), 'name_taken'],
    ['a bug', new TypeError('x is not a function'), 'internal'],
    ['no error at all', 'text', 'internal'],
    ['nothing', undefined, 'internal'],
    ['a refused connection', named({ code: 'ECONNREFUSED' }), 'database_unavailable'],
    ['a server that restarts', named({ cause: { originalCode: '57P03' } }), 'database_unavailable'],
    ['a server that hangs', named({ code: 'ETIMEDOUT' }), 'database_unavailable'],
    [
      'a connection that broke in the middle of a transaction',
      new Error('Client has encountered a connection error and is not queryable'),
      'database_unavailable',
    ],
    ['a file that is missing', named({ code: 'ENOENT', syscall: 'open', path: '/x' }), 'internal'],
    ['a full pool', named({ code: 'P2024' }), 'database_unavailable'],
    ['a full server', named({ cause: { code: '53300' } }), 'database_unavailable'],
    [
      'an adapter without connection',
      named({ cause: { kind: 'DatabaseNotReachable' } }),
      'database_unavailable',
    ],
    ['a wrong query', named({ code: 'P2010', meta: { code: '42601' } }), 'internal'],
    ['a broken constraint', named({ code: 'P2002' }), 'internal'],
    ['a statement that took too long', named({ code: '57014' }), 'internal'],
  ])('%s', (_what, thrown, code) => {
    const error = asAppError(thrown);
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/select|not a function/);
  });

  test('a full disk of the database is told as such', () => {
    const full = asAppError(named({ code: 'P2010', cause: { originalCode: '53100' } }));
    expect(full.code).toBe('database_unavailable');
    expect(full.message).toMatch(/^The disk of the database is full/);
  });

  test('an error that is its own cause ends the search', () => {
    const loop = new Error('x');
    loop.cause = loop;
    expect(asAppError(loop).code).toBe('internal');
  });
});
