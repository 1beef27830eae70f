import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { readInput } from './read-input.ts';

const body = z.strictObject({
  name: z.string().min(2).max(5).optional(),
  count: z.int().min(1).optional(),
  inner: z.strictObject({ 'a/b': z.boolean() }).optional(),
});

function problemsOf(request: Partial<Parameters<typeof readInput>[1]>, schemas: object = { body }) {
  try {
    readInput(schemas, { params: {}, query: {}, body: undefined, ...request });
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, detail: error.message, fields: error.fields };
    throw error;
  }
  return null;
}

describe('a body that is not usable is told in our words, by JSON pointer', () => {
  test.each<[unknown, string, string]>([
    [{ name: 1 }, '/name', 'must be a text'],
    [{ name: null }, '/name', 'must be a text'],
    [{ name: 'a' }, '/name', 'must have at least 2 characters'],
    [{ name: 'abcdef' }, '/name', 'must have at most 5 characters'],
    [{ count: 'x' }, '/count', 'must be a number'],
    [{ count: 1.5 }, '/count', 'must be a whole number'],
    [{ count: 0 }, '/count', 'must be at least 1'],
    [{ inner: { 'a/b': 1 } }, '/inner/a~1b', 'must be true or false'],
    [{ inner: {} }, '/inner/a~1b', 'is required'],
    [{ 'x~y': 1 }, '/x~0y', 'is not a known field'],
    [[], '', 'must be an object'],
    ['text', '', 'must be an object'],
  ])('%j', (sent, field, message) => {
    expect(problemsOf({ body: sent })?.fields).toEqual([{ field, message }]);
  });

  test('the detail is the one problem, or how many there are', () => {
    expect(problemsOf({ body: { count: 0 } })?.detail).toBe('/count must be at least 1.');
    expect(problemsOf({ body: [] })?.detail).toBe('The request body must be an object.');
    expect(problemsOf({ body: { count: 0, x: 1 } })?.detail).toBe(
      '2 fields are not usable; "errors" names each.',
    );
  });

  test('T60: a field name of any length is cut in the answer', () => {
    const [problem] = problemsOf({ body: { ['x'.repeat(100_000)]: 1 } })?.fields ?? [];
    expect(problem?.field).toHaveLength(101);
  });
});

describe('where several forms are possible, the problems are those of the form that was meant', () => {
  const forms = z.strictObject({
    env: z.union([
      z.array(z.strictObject({ key: z.string(), scope: z.enum(['a', 'b'], 'must be a or b').optional() })),
      z.record(z.string().regex(/^[A-Z]+$/, 'must be of capitals'), z.string()),
    ]),
  });
  test.each<[unknown, string, string]>([
    [{ small: 'x' }, '/env/small', 'must be of capitals'],
    [{ A: 1 }, '/env/A', 'must be a text'],
    [['A'], '/env/0', 'must be an object'],
    [[{ key: 'A', scope: 'c' }], '/env/0/scope', 'must be a or b'],
    [[{ key: 'A', more: 1 }], '/env/0/more', 'is not a known field'],
    ['A=1', '/env', 'must be a list or an object'],
    [null, '/env', 'must be a list or an object'],
    [undefined, '/env', 'is required'],
  ])('%j', (env, field, message) => {
    expect(problemsOf({ body: { env } }, { body: forms })?.fields).toEqual([{ field, message }]);
  });
});

test('a NUL, which the database cannot hold, is refused wherever it stands', () => {
  const schemas = {
    body: z.object({ texts: z.array(z.string()), by: z.record(z.string(), z.string()) }),
    query: z.strictObject({ q: z.string() }),
  };
  const sent = { query: { q: 'a\0b' }, body: { texts: ['ok', '\0'], by: { fine: 'ok', 'na\0me': 'ok' } } };
  expect(problemsOf(sent, schemas)?.fields).toEqual([
    { field: 'q', message: 'must hold no NUL' },
    { field: '/texts/1', message: 'must hold no NUL' },
    { field: '/by/na\0me', message: 'must hold no NUL' },
  ]);
});

test('no body counts as an empty one', () => {
  expect(readInput({ body }, { params: {}, query: {}, body: undefined }).body).toEqual({});
});

test('a path that cannot be an id answers as a missing one', () => {
  const schemas = { params: z.object({ id: z.string().max(3) }) };
  expect(problemsOf({ params: { id: 'abcd' } }, schemas)?.code).toBe('not_found');
});

test('T58: where no query is declared, none is taken', () => {
  expect(problemsOf({ query: { 'id[]': 'a' } })?.fields).toEqual([
    { field: 'id[]', message: 'is not a known field' },
  ]);
});

describe('aliases', () => {
  const schemas = { body, aliases: { title: 'name', label: 'name' } };
  test('stand for their field', () => {
    const input = readInput(schemas, { params: {}, query: {}, body: { title: 'abc' } });
    expect(input.body).toEqual({ name: 'abc' });
  });
  test('problems name the field', () => {
    expect(problemsOf({ body: { title: 1 } }, schemas)?.fields).toMatchObject([{ field: '/name' }]);
  });
  test.each([
    [{ name: 'abc', title: 'abd' }, '/title'],
    [{ title: 'abc', name: 'abd' }, '/title'],
    [{ title: 'abc', label: 'abd' }, '/label'],
  ])('%j says one thing twice, and none of it is guessed', (sent, field) => {
    expect(problemsOf({ body: sent }, schemas)?.fields).toMatchObject([{ field }]);
  });
  test('T58: are looked up as own names only', () => {
    const sent = JSON.parse('{"toString":1,"__proto__":2}') as unknown;
    expect(problemsOf({ body: sent }, schemas)?.fields.map(({ field }) => field)).toEqual([
      '/toString',
      '/__proto__',
    ]);
  });
});
