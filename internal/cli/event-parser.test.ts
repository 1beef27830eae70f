import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventParser } from './event-parser.ts';

const parse = (...chunks: string[]) => {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
};

describe('server-sent events', () => {
  test.each([
    ['an event', 'id: 7\nevent: line\ndata: {}\n\n', [{ id: '7', event: 'line', data: '{}' }]],
    ['no space behind the colon', 'id:7\ndata:x\n\n', [{ id: '7', event: 'message', data: 'x' }]],
    ['two data lines', 'data: a\ndata: b\n\n', [{ id: null, event: 'message', data: 'a\nb' }]],
    ['colons in the data', 'data: a: b:c\n\n', [{ id: null, event: 'message', data: 'a: b:c' }]],
    ['a comment', ': still here\n\n', []],
    ['retry only', 'retry: 1000\n\n', []],
    ['an id alone', 'id: 3\n\ndata: x\n\n', [{ id: '3', event: 'message', data: 'x' }]],
    ['an unfinished event', 'data: x\n', []],
    ['CR LF', 'data: x\r\n\r\n', [{ id: null, event: 'message', data: 'x' }]],
    ['CR', 'data: x\r\rdata: y\r\r:\n', ['x', 'y'].map((data) => ({ id: null, event: 'message', data }))],
    ['a field that does not exist', 'colour: red\ndata\n\n', [{ id: null, event: 'message', data: '' }]],
  ])('%s', (_name, text, events) => {
    expect(parse(text)).toEqual(events);
  });

  test('keep the last id, and forget the name, from one event to the next', () => {
    expect(parse('id: 1\nevent: status\ndata: a\n\ndata: b\n\n')).toEqual([
      { id: '1', event: 'status', data: 'a' },
      { id: '1', event: 'message', data: 'b' },
    ]);
  });

  test('A14: are the same wherever the text is cut', () => {
    const text =
      'retry: 1\r\n\r\nid: 1\r\nevent: line\r\ndata: {"text":"é 😀"}\r\n\r\n: x\n\nid: 2\ndata: b\n\n';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const chunks = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(parse(...chunks)).toEqual(parse(text));
      }),
    );
    expect(parse(text)).toHaveLength(2);
  });
});
