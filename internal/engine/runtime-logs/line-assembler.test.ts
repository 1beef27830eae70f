import { expect, test } from '@jest/globals';
import type { OutputPiece } from '../ports.ts';
import { LineAssembler } from './line-assembler.ts';

const SECOND = 1_000_000_000n;
const piece = (text: string, more: Partial<OutputPiece> = {}): OutputPiece => ({
  stream: 'stdout',
  ns: SECOND,
  bytes: Buffer.from(text),
  endsLine: true,
  ...more,
});

test('pieces of a line are put together, each stream by itself, also through the middle of a character', () => {
  const lines = new LineAssembler();
  const [start, end] = [Buffer.from('grü').subarray(0, 3), Buffer.from('grü').subarray(3)];
  expect(lines.push(piece('', { bytes: start, endsLine: false }))).toBeNull();
  expect(lines.push(piece('problem', { stream: 'stderr', ns: 2n * SECOND }))).toMatchObject({
    text: 'problem',
  });
  expect(lines.hasOpenLine).toBe(true);
  expect(lines.push(piece('', { bytes: end }))).toEqual({
    stream: 'stdout',
    at: new Date(1000),
    text: 'grü',
  });
  expect(lines.hasOpenLine).toBe(false);
});

test('T68: a line without end is cut at 64 KB, and what is open can be had', () => {
  const lines = new LineAssembler();
  const part = piece('x'.repeat(16 * 1024), { endsLine: false });
  expect([1, 2, 3].map(() => lines.push(part))).toEqual([null, null, null]);
  expect(lines.push(part)?.text).toHaveLength(64 * 1024);
  lines.push(piece('rest', { endsLine: false }));
  expect(lines.flush().map(({ text }) => text)).toEqual(['rest']);
  expect(lines.flush()).toEqual([]);
});
