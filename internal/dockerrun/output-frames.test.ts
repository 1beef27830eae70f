import { expect, test } from '@jest/globals';
import { FrameReader } from './output-frames.ts';
import { lastLines, plainLine } from './plain-lines.ts';

function frame(kind: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test('frames come out whole however the bytes were cut', () => {
  const bytes = Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n'), frame(1, '')]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new FrameReader();
    const frames = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
    expect(frames.map(({ stream, data }) => `${stream} ${data.toString()}`)).toEqual([
      'stdout out\n',
      'stderr err\n',
      'stdout ',
    ]);
  }
});

test.each([
  ['a kind that does not exist', Buffer.from([7, 0, 0, 0, 0, 0, 0, 1, 65])],
  ['a length beyond the cap', Buffer.from([1, 0, 0, 0, 0x7f, 0, 0, 0])],
])('a header with %s is refused', (_, bytes) => {
  expect(() => new FrameReader().push(bytes)).toThrow('not a stream of Docker output frames');
});

test('lines that Docker cut into frames are joined, each stream by itself', () => {
  const frames = new FrameReader().push(
    Buffer.concat([frame(1, 'one, '), frame(2, 'problem\n'), frame(1, 'two\nthree')]),
  );
  expect(lastLines(frames, 10)).toEqual(['problem', 'one, two', 'three']);
  expect(lastLines(frames, 2)).toEqual(['one, two', 'three']);
});

test('T66: escape sequences, controls and bidi marks are taken out, long lines cut', () => {
  expect(plainLine('\u001b[31mred\u001b[0m \u001b]52;c;aGk=\u0007a\tb\r\u0000\u202e')).toBe('red a\tb');
  expect(plainLine('x'.repeat(5000))).toHaveLength(4096);
});
