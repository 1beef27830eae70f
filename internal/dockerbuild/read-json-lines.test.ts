import { expect, test } from '@jest/globals';
import { readJsonLines } from './read-json-lines.ts';

async function readAll(chunks: readonly Buffer[]): Promise<unknown[]> {
  async function* stream() {
    yield* chunks;
  }
  const values: unknown[] = [];
  for await (const value of readJsonLines(stream())) values.push(value);
  return values;
}

test('characters and lines that are cut between chunks are put together', async () => {
  const bytes = Buffer.from('{"stream":"ünï €"}\r\n{"stream":"b"}\n{"last":true}');
  const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
  expect(await readAll(chunks)).toEqual([{ stream: 'ünï €' }, { stream: 'b' }, { last: true }]);
});

test('what is no JSON, and what is too long, is passed over', async () => {
  const long = Buffer.alloc(3 << 20, 'x');
  const chunks = [Buffer.from('{"a":1}\n\n{oops\n'), long, long, Buffer.from('rest\n{"b":2}\n')];
  expect(await readAll(chunks)).toEqual([{ a: 1 }, { b: 2 }]);
});
