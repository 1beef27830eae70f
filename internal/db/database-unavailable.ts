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
const POOL_TEXT = /timeout exceeded when trying to connect|Connection terminated|Can't reach database server/;

/** Is the database away (restarting, refusing, full), rather than the query wrong? Then the same request may work later. */
export function isDatabaseUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const { code, originalCode, kind, errorCode, message, cause, meta, driverAdapterError } = error as Record<
    string,
    unknown
  >;
  const codes = [code, originalCode, errorCode].filter((value) => typeof value === 'string');
  return (
    codes.some((value) => SQL_STATE.test(value) || SYSTEM_CODES.has(value) || PRISMA_CODES.has(value)) ||
    (typeof kind === 'string' && ADAPTER_KINDS.has(kind)) ||
    (typeof message === 'string' && POOL_TEXT.test(message)) ||
    [cause, meta, driverAdapterError].some((inner) => isDatabaseUnavailable(inner, depth + 1))
  );
}
