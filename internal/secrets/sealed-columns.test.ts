import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { SEALED_COLUMNS, sealContext } from './sealed-columns.ts';

const SCHEMA = join(import.meta.dirname, '../../prisma/schema.prisma');

/** `table.column` of every column of bytes. */
function bytesColumns(schema: string): string[] {
  return [...schema.matchAll(/^model \w+ \{$([\s\S]*?)^\}$/gm)].flatMap(([, body = '']) => {
    const table = /@@map\("(\w+)"\)/.exec(body)?.[1];
    return [...body.matchAll(/^ +(\w+) +Bytes\b(.*)$/gm)].map(
      ([, field, rest = '']) => `${table}.${/@map\("(\w+)"\)/.exec(rest)?.[1] ?? field}`,
    );
  });
}

test('T71: every column of bytes in the schema is listed, so that a change of keys forgets none', () => {
  const columns = bytesColumns(readFileSync(SCHEMA, 'utf8'));
  expect(columns.length).toBeGreaterThan(5);
  expect(columns.toSorted()).toEqual(Object.keys(SEALED_COLUMNS).toSorted());
});

test('T70: no two places have one context', () => {
  expect(sealContext('env_vars.value', 'k3v5ahq2xd')).toBe('env_vars:k3v5ahq2xd:value');
  expect(sealContext('idempotency_keys.answer', 'u', 'POST /apps', 'k')).toBe(
    'idempotency_keys:u POST /apps k:answer',
  );
});
