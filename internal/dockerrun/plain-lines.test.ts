import { expect, test } from '@jest/globals';
import type { OutputFrame } from '../dockerstream/output-frames.ts';
import { lastLines, plainLine } from './plain-lines.ts';

test('lines that Docker cut into frames are joined, each stream by itself', () => {
  const frames: OutputFrame[] = [
    { stream: 'stdout', data: Buffer.from('one, ') },
    { stream: 'stderr', data: Buffer.from('problem\n') },
    { stream: 'stdout', data: Buffer.from('two\nthree') },
  ];
  expect(lastLines(frames, 10)).toEqual(['problem', 'one, two', 'three']);
  expect(lastLines(frames, 2)).toEqual(['one, two', 'three']);
});

test('T66: escape sequences, controls and bidi marks are taken out, long lines cut', () => {
  expect(plainLine('\u001b[31mred\u001b[0m \u001b]52;c;aGk=\u0007a\tb\r\u0000\u202e')).toBe('red a\tb');
  expect(plainLine('x'.repeat(5000))).toHaveLength(4096);
});
