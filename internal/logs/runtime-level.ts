import type { LogLevel } from '../db/database.ts';

/** How far into a line a level is looked for: it stands in front, and a line may have 16 KB. */
const LOOK_AT = 400;

/** `"level":30` of pino and bunyan, `"level":"warn"`, `"severity":"ERROR"`. */
const IN_JSON = /"(?:level|severity|lvl)"\s*:\s*(?:"([a-z]+)"|(\d+))/i;
/** logfmt: `level=warn`. */
const IN_LOGFMT = /(?:^|\s)(?:level|lvl|severity)="?([a-z]+)/i;

/**
 * The level a program gives its own line, in JSON or logfmt; else stdout is `info` and stderr `error`, since that is
 * where uncaught errors and `console.error` go.
 */
export function runtimeLevel(text: string, stream: 'stdout' | 'stderr'): LogLevel {
  const start = text.slice(0, LOOK_AT);
  const found = start.startsWith('{') ? IN_JSON.exec(start) : IN_LOGFMT.exec(start);
  const [, word, number] = found ?? [];
  if (number !== undefined) return levelOfNumber(Number(number));
  return levelOfWord(word) ?? (stream === 'stderr' ? 'error' : 'info');
}

/** pino and bunyan: 30 info, 40 warn, 50 error, 60 fatal. */
function levelOfNumber(number: number): LogLevel {
  if (number >= 50) return 'error';
  return number >= 40 ? 'warning' : 'info';
}

function levelOfWord(word = ''): LogLevel | null {
  if (/^(trace|debug|verbose|info|information|notice)$/i.test(word)) return 'info';
  if (/^warn(ing)?$/i.test(word)) return 'warning';
  if (/^(err|error|crit|critical|alert|emerg|emergency|panic|fatal)$/i.test(word)) return 'error';
  return null;
}
