import { describe, expect, test } from '@jest/globals';
import { createColors } from 'picocolors';
import { formatEntry } from './format-entry.ts';
import { documentOf, entryOfEvent, entryOfLine } from './log-entry.ts';

const line = {
  seq: 7,
  at: '2026-11-20T10:00:00.000Z',
  source: 'build',
  stream: 'stdout',
  level: 'info',
  text: 'Step 1/4',
  deployment_id: null,
  replica: null,
} as const;
const change = { status: 'failed', step: null, failure_code: 'build_failed', failure_reason: 'It ended.' };
const [plain, coloured] = [createColors(false), createColors(true)];

describe('an entry of a log', () => {
  test('is the same from a page and from the stream', () => {
    expect(entryOfLine(line)).toEqual(entryOfEvent({ id: '7', event: 'line', data: JSON.stringify(line) }));
    const text = JSON.stringify(change);
    const stored = entryOfLine({ ...line, source: 'status', stream: null, level: 'deploy', text });
    expect(stored).toEqual(entryOfEvent({ id: '7', event: 'status', data: text }));
    expect(documentOf(stored)).toEqual({ seq: 7, source: 'status', ...change });
  });

  test.each([
    ['a status that is no JSON is a line', entryOfLine({ ...line, source: 'status', text: '{' }), 'line'],
    ['an event we do not know is none', entryOfEvent({ id: '1', event: 'weather', data: '{}' }), undefined],
  ])('%s', (_name, entry, kind) => {
    expect(entry?.kind).toBe(kind);
  });

  test('is its text, with the time where that is wanted', () => {
    expect(formatEntry({ kind: 'line', line }, plain)).toBe('Step 1/4');
    expect(formatEntry({ kind: 'line', line }, plain, { withTime: true })).toBe(`${line.at} Step 1/4`);
    expect(formatEntry({ kind: 'status', seq: 7, change }, plain)).toBe('▸ Failed (build_failed): It ended.');
  });

  test('has colour at a terminal only, its own included', () => {
    const red = { kind: 'line', line: { ...line, text: '\u001b[31mno\u001b[0m' } } as const;
    expect(formatEntry(red, plain)).toBe('no');
    expect(formatEntry(red, coloured)).toContain('\u001b[31mno');
    expect(formatEntry({ kind: 'line', line: { ...line, level: 'error' } }, coloured)).toBe(
      coloured.red('Step 1/4'),
    );
  });
});
