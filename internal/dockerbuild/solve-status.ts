import type { TraceUpdate } from './buildkit-trace.ts';

/** A line of `buildctl --progress=rawjson` (moby/buildkit, client/graph.go: SolveStatus); null for any other text. */
export function readSolveStatus(line: string): TraceUpdate | null {
  const status = parse(line);
  if (status === null) return null;
  return {
    steps: recordsAt(status, 'vertexes').map((vertex) => ({
      digest: textAt(vertex, 'digest'),
      name: textAt(vertex, 'name'),
      startedAt: timeAt(vertex, 'started'),
      completedAt: timeAt(vertex, 'completed'),
      cached: vertex['cached'] === true,
      error: textAt(vertex, 'error'),
    })),
    output: recordsAt(status, 'logs').map((log) => ({
      stream: log['stream'] === 2 ? 'stderr' : 'stdout',
      text: Buffer.from(textAt(log, 'data'), 'base64').toString('utf8'),
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parse(line: string): Fields | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function recordsAt(fields: Fields, key: string): Fields[] {
  const list = fields[key];
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

/** Milliseconds since 1970. */
function timeAt(fields: Fields, key: string): number | null {
  const time = Date.parse(textAt(fields, key));
  return Number.isNaN(time) ? null : time;
}

function textAt(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === 'string' ? value : '';
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
