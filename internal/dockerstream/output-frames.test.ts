import { expect, test } from '@jest/globals';
import { FrameReader } from './output-frames.ts';

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
