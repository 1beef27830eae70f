/** SQLSTATEs of a server that is going, coming or full: classes 08, 53, 57P. */
const SQL_STATE = /^(08\w{3}|53\w{3}|57P0\d)$/;
const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'ENOENT',
]);
/** Not reachable, timed out, closed, pool exhausted, no transaction in time. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);
const ADAPTER_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);
const POOL_TEXT =
  /timeout exceeded when trying to connect|Connection terminated|Can't reach database server|is not queryable/;

/** Is the database away (restarting, refusing, full), rather than the query wrong? Then the same request may work later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return layersOf(error).some(
    (layer) =>
      codesOf(layer).some(
        (code) => SQL_STATE.test(code) || SYSTEM_CODES.has(code) || PRISMA_CODES.has(code),
      ) ||
      (typeof layer['kind'] === 'string' && ADAPTER_KINDS.has(layer['kind'])) ||
      (typeof layer['message'] === 'string' && POOL_TEXT.test(layer['message'])),
  );
}

/** SQLSTATE disk_full: it answers, and has no room for what was to be written. */
export function isDatabaseFull(error: unknown): boolean {
  return layersOf(error).some((layer) => codesOf(layer).includes('53100'));
}

/** An error and what is inside of it: Prisma, its adapter and the driver wrap each other's. */
function layersOf(error: unknown, depth = 0): Record<string, unknown>[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const layer = error as Record<string, unknown>;
  // A file that is missing has the code of a socket that is missing, and a path.
  if (typeof layer['path'] === 'string') return [];
  const inner = [layer['cause'], layer['meta'], layer['driverAdapterError']];
  return [layer, ...inner.flatMap((one) => layersOf(one, depth + 1))];
}

function codesOf({ code, originalCode, errorCode }: Record<string, unknown>): string[] {
  return [code, originalCode, errorCode].filter((value) => typeof value === 'string');
}
