import type { LogLine, StatusChange } from './api-views.ts';

/** One entry of a log: a line of text, or a change of the deployment's state in its place among them. */
export type LogEntry =
  | { readonly kind: 'line'; readonly line: LogLine }
  | { readonly kind: 'status'; readonly seq: number; readonly change: StatusChange };

/** From a page of the log, where a change is a line with JSON in it. */
export function entryOfLine(line: LogLine): LogEntry {
  const change = line.source === 'status' ? readChange(line.text) : null;
  return change ? { kind: 'status', seq: line.seq, change } : { kind: 'line', line };
}

/** From the stream; null for an event of a kind we do not know. */
export function entryOfEvent(event: { id: string | null; event: string; data: string }): LogEntry | null {
  if (event.event === 'line') return { kind: 'line', line: JSON.parse(event.data) as LogLine };
  const change = event.event === 'status' ? readChange(event.data) : null;
  return change && { kind: 'status', seq: Number(event.id), change };
}

/** As `--json` prints it: the same for a page and for the stream. */
export function documentOf(entry: LogEntry): unknown {
  if (entry.kind === 'line') return entry.line;
  return { seq: entry.seq, source: 'status', ...entry.change };
}

function readChange(text: string): StatusChange | null {
  try {
    const change = JSON.parse(text) as StatusChange | null;
    return typeof change?.status === 'string' ? change : null;
  } catch {
    return null;
  }
}
