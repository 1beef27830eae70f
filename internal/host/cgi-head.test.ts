import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { parseCgiHead, readCgiHead } from './cgi-head.ts';

test('without a Status line the answer is 200', () => {
  expect(parseCgiHead('Content-Type: text/plain\r\nExpires: Fri, 01 Jan 1980 00:00:00 GMT')).toEqual({
    status: 200,
    headers: { 'Content-Type': 'text/plain', Expires: 'Fri, 01 Jan 1980 00:00:00 GMT' },
  });
});

test('a Status line is the status and no header', () => {
  expect(parseCgiHead('Status: 404 Not Found\nPragma: no-cache\nodd')).toEqual({
    status: 404,
    headers: { Pragma: 'no-cache' },
  });
});

test.each([
  ['in one piece', ['A: 1\r\n\r\nbody']],
  ['cut anywhere', ['A:', ' 1\r', '\n\r', '\nbo', 'dy']],
  ['with bare line feeds', ['A: 1\n', '\nbody']],
])('the head is read and the body kept: %s', async (_case, chunks) => {
  const stream = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  const head = await readCgiHead(stream);
  expect(head).toMatchObject({ status: 200, headers: { A: '1' } });
  let body = head.rest.toString();
  for await (const chunk of stream) body += String(chunk);
  expect(body).toBe('body');
});

test('a program that ends without an answer is an error, not a wait', async () => {
  await expect(readCgiHead(Readable.from([Buffer.from('A: 1')], { objectMode: false }))).rejects.toThrow(
    'ended without an answer',
  );
});
