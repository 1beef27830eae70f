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

/** Those pieces of the readings that are new; `|` begins another reading. */
function taken(progress: OutputProgress, readings: string): string {
  return readings
    .split('|')
    .flatMap((reading) => {
      progress.beginReading();
      return reading.split(' ').filter((text) => text !== '' && progress.take(piece(text)));
    })
    .join(' ');
}

describe('the progress of reading an output', () => {
  test.each([
    ['lines as they come', 'o1 o2 e3 o4', 'o1 o2 e3 o4'],
    ['streams that lag behind each other', 'o5 e3 o6 e4 o7', 'o5 e3 o6 e4 o7'],
    ['the pieces of a long line, which share their time', 'o1 o5+ o5+ o5 o6', 'o1 o5+ o5+ o5 o6'],
    ['F17: nothing twice that is told again', 'o1 o2 e3 o4 | o2 e3 o4', 'o1 o2 e3 o4'],
    ['F17: … or only its last line', 'o1 o2 o3 | o3', 'o1 o2 o3'],
    ['F17: … and what is new behind it', 'o1 o2 e3 | o1 o2 e3 o4', 'o1 o2 e3 o4'],
    ['F17: … with a long line in it', 'o1 o5+ o5 o6 | o1 o5+ o5 o6 o7', 'o1 o5+ o5 o6 o7'],
    ['F17: … of which a part was told', 'o1 o5+ o5+ | o1 o5+ o5+ o5+ | o5+ o5+ o5+ o5', 'o1 o5+ o5+ o5+ o5'],
  ])('takes %s', (_, readings, expected) => {
    expect(taken(new OutputProgress(NOWHERE), readings)).toBe(expected);
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
    const progress = new OutputProgress({
      ...NOWHERE,
      stdoutNs: 60_000_000_000n,
      stderrNs: 55_000_000_000n,
    });
    expect(progress.startNs).toBe(50_000_000_000n);
    expect(progress.isAtStart).toBe(false);
    expect(new OutputProgress(NOWHERE).startNs).toBe(0n);
    expect(new OutputProgress(NOWHERE).isAtStart).toBe(true);
  });

  test.each([
    ['begins with a later piece', 'o5', 'o8', true],
    ['begins with a later piece of the other stream', 'o5', 'e8', true],
    ['begins with the last piece', 'o5', 'o5 o8', false],
    ['begins with an earlier piece of the other stream', 'e2 o5', 'e2 o8', false],
    ['is the first one', '', 'o8', false],
  ])('T39: a reading that %s: what was read %j, now %j: has a gap: %s', (_, before, now, expected) => {
    const progress = new OutputProgress(NOWHERE);
    taken(progress, before);
    progress.beginReading();
    const gaps = now.split(' ').map((text) => {
      const isBehindGap = progress.isBehindGap(piece(text));
      progress.take(piece(text));
      return isBehindGap;
    });
    expect(gaps.includes(true)).toBe(expected);
  });

  test.each([
    ['with the last piece of an unfinished line', 'o1 o5+ o5+', 'o5+ o5', true],
    ['before such a line', 'o1 o5+ o5+', 'o1 o5+ o5+ o5', false],
    ['with the last piece of a finished line', 'o1 o5+ o5', 'o5 o6', false],
    ['inside of an unfinished line of the other stream', 'o1 e5+ e5+ o3', 'o3 e5+ e5', true],
  ])('a reading that may begin %s: what was read %j, now %j: %s', (_, before, now, expected) => {
    const progress = new OutputProgress(NOWHERE);
    taken(progress, before);
    progress.beginReading();
    const inside = now.split(' ').map((text) => {
      const isInsideLine = progress.isInsideLine(piece(text));
      progress.take(piece(text));
      return isInsideLine;
    });
    expect(inside.includes(true)).toBe(expected);
  });
});
