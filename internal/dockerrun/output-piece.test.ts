import { expect, test } from '@jest/globals';
import { PieceReader } from './output-piece.ts';

const frame = (text: string) => ({ stream: 'stdout' as const, data: Buffer.from(text) });

test('a frame is a time to the nanosecond and a piece of a line', () => {
  const reader = new PieceReader();
  expect(reader.read(frame('2026-11-21T06:30:54.591122550Z ready\n'))).toEqual({
    stream: 'stdout',
    ns: 1_795_242_654_591_122_550n,
    bytes: Buffer.from('ready'),
    endsLine: true,
  });
  expect(reader.read(frame('2026-11-21T06:30:54.000000001Z part'))).toMatchObject({
    ns: 1_795_242_654_000_000_001n,
    endsLine: false,
  });
  expect(reader.read(frame('2026-11-21T06:30:55.000000000Z \n'))).toMatchObject({
    ns: 1_795_242_655_000_000_000n,
    bytes: Buffer.alloc(0),
    endsLine: true,
  });
});

test('a frame without a time is refused', () => {
  expect(() => new PieceReader().read(frame('ready\n'))).toThrow('no time before it');
});
