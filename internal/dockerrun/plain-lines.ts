import { stripVTControlCharacters } from 'node:util';
import type { OutputFrame } from '../dockerstream/output-frames.ts';

const MAX_LINE_LENGTH = 4096;
/** Of lines that are masked before they are cut; a secret across such a cut stays readable. */
const MAX_RAW_LENGTH = 64 * 1024;
const CONTROLS = /[^\P{Cc}\t]|\p{Bidi_Control}/gu;

/** The last `count` lines of a container's output, oldest first, without what acts (T66), each at most 64 KB. */
export function lastLines(frames: readonly OutputFrame[], count: number): string[] {
  const lines: string[] = [];
  // The daemon cuts a long line into frames, and the frames of the two streams may lie between each other.
  const unfinished = { stdout: '', stderr: '' };
  for (const { stream, data } of frames) {
    const pieces = (unfinished[stream] + data.toString('utf8')).split('\n');
    unfinished[stream] = pieces.pop() ?? '';
    lines.push(...pieces);
    if (lines.length > 4 * count) lines.splice(0, lines.length - count);
  }
  const rest = [unfinished.stdout, unfinished.stderr].filter((line) => line !== '');
  return [...lines, ...rest].slice(-count).map((line) => plainLine(line, MAX_RAW_LENGTH));
}

/** One line without escape sequences, controls and marks that turn the reading direction. */
export function plainLine(text: string, maxLength = MAX_LINE_LENGTH): string {
  return stripVTControlCharacters(text.slice(0, maxLength * 4))
    .replace(CONTROLS, '')
    .slice(0, maxLength);
}
