import type { LogLine } from './api-views.ts';
import { describeChange } from './describe-deployment.ts';
import type { LogEntry } from './log-entry.ts';
import type { Colours } from './terminal.ts';

/** An entry of a log as a line of the terminal. The API has taken out of its text what would act instead of being read. */
export function formatEntry(entry: LogEntry, colours: Colours, options: { withTime?: boolean } = {}): string {
  if (entry.kind === 'status') {
    const { failure_code: code, failure_reason: reason } = entry.change;
    const why = code === undefined ? '' : ` (${code})${reason ? `: ${reason}` : ''}`;
    return colours.bold(`▸ ${describeChange(entry.change)}${why}`);
  }
  const { line } = entry;
  const time = options.withTime ? `${colours.dim(line.at)} ` : '';
  return time + paintLevel(line, colours);
}

function paintLevel({ level, text }: LogLine, colours: Colours): string {
  // Colours are part of what a program writes; a file or a pipe has no use for them.
  if (!colours.isColorSupported) return withoutColours(text);
  switch (level) {
    case 'error':
      return colours.red(text);
    case 'warning':
      return colours.yellow(text);
    case 'success':
      return colours.green(text);
    case 'deploy':
      return colours.cyan(text);
    case 'info':
      // Its colour, if it set one, ends with the line.
      return colours.reset(text);
    default:
      return level satisfies never;
  }
}

function withoutColours(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the one control sequence that the API lets through
  return text.replace(/\x1b\[[\d;]*m/g, '');
}
