import { describe, expect, test } from '@jest/globals';
import type { OutputPiece } from '../ports.ts';
import { OutputProgress } from './output-progress.ts';

const NOWHERE = { stdoutNs: 0n, stdoutCount: 0, stderrNs: 0n, stderrCount: 0 };

/** `o5` is a line of stdout at 5 ns, `e5` of stderr; `o5+` a piece whose line goes on. */
function piece(text: string): OutputPiece {
  const [, stream, ns = '0', open] = /^([oe])(\d+)(\+?)$/.exec(text) ?? [];
  return {
    stream: stream === 'e' ? 'stderr' : 'stdout',
    ns: BigInt(ns),
    bytes: Buffer.from(text),
    endsLine: open === '',
  };
}

/** Those pieces of the telling that are new. */
function taken(progress: OutputProgress, telling: string): string {
  return telling
    .split(' ')
    .filter((text) => text !== '' && progress.take(piece(text)))
    .join(' ');
}

describe('the progress of reading an output', () => {
  test.each([
    ['lines as they come', 'o1 o2 e3 o4', 'o1 o2 e3 o4'],
    ['streams that lag behind each other', 'o5 e3 o6 e4 o7', 'o5 e3 o6 e4 o7'],
    ['the pieces of a long line, which share their time', 'o1 o5+ o5+ o5 o6', 'o1 o5+ o5+ o5 o6'],
    ['F17: nothing twice when the Engine tells the file again', 'o1 o2 e3 o4 o2 e3 o4', 'o1 o2 e3 o4'],
    ['F17: … or only its last line', 'o1 o2 o3 o3', 'o1 o2 o3'],
    ['F17: … and what is new behind it', 'o1 o2 e3 o1 o2 e3 o4', 'o1 o2 e3 o4'],
    ['F17: … with a long line in it', 'o1 o5+ o5 o6 o1 o5+ o5 o6 o7', 'o1 o5+ o5 o6 o7'],
  ])('takes %s', (_, telling, expected) => {
    expect(taken(new OutputProgress(NOWHERE), telling)).toBe(expected);
  });

  test('goes on from its place, wherever the output is cut', () => {
    const output = 'o1 e2 o3+ o3+ e4 o3 o7 e5 e8+ e8 o9'.split(' ');
    for (let cut = 0; cut <= output.length; cut++) {
      const first = new OutputProgress(NOWHERE);
      const before = taken(first, output.slice(0, cut).join(' '));
      const after = taken(new OutputProgress(first.place), output.join(' '));
      expect(`${before} ${after}`.trim()).toBe(output.join(' '));
    }
  });

  test('starts so early that the last piece comes again, and ten seconds before for a stream that lags', () => {
    const place = { ...NOWHERE, stdoutNs: 60_000_000_000n, stderrNs: 55_000_000_000n };
    expect(OutputProgress.startOf(place)).toBe(50_000_000_000n);
    expect(OutputProgress.startOf(NOWHERE)).toBe(0n);
  });

  test('T39: knows a gap by the last piece not coming again', () => {
    const cursor = { ...NOWHERE, stdoutNs: 5n, stdoutCount: 1 };
    const rotated = new OutputProgress(cursor);
    expect(taken(rotated, 'o8')).toBe('o8');
    expect(rotated.hasGap).toBe(true);
    const whole = new OutputProgress(cursor);
    expect(taken(whole, 'o5 o8')).toBe('o8');
    expect(whole.hasGap).toBe(false);
    const fresh = new OutputProgress(NOWHERE);
    expect(taken(fresh, 'o8')).toBe('o8');
    expect(fresh.hasGap).toBe(false);
  });
});
