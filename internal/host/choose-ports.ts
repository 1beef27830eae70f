import { createServer } from 'node:net';
import { CannotStart } from './cannot-start.ts';

export type PortState = 'free' | 'taken' | 'forbidden';

/** Tries to listen. `forbidden`: this user may not bind so low a port. */
export function probePort(port: number, address: string): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EACCES') resolve('forbidden');
      else reject(error);
    });
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

/** @throws CannotStart: one line that names the port, its setting and what to do. */
export async function requireFreePort(setting: string, port: number, address: string): Promise<void> {
  const state = await probePort(port, address);
  if (state === 'free') return;
  const problem = state === 'taken' ? 'is taken' : 'may not be bound by this user';
  throw new CannotStart(`Port ${port} (${setting}) ${problem}; choose another one: ${setting}=<port> bin/up`);
}

const PREFERRED_HTTP_PORT = 80;
const OTHER_HTTP_PORT = 8000;

/** Where Traefik serves apps: the port that was set, else 80 where it may be bound, else 8000. */
export async function chooseHttpPort(
  wanted: number | null,
): Promise<{ port: number; reason: string | null }> {
  if (wanted !== null) {
    await requireFreePort('HTTP_PORT', wanted, '::');
    return { port: wanted, reason: null };
  }
  const state = await probePort(PREFERRED_HTTP_PORT, '::');
  if (state === 'free') return { port: PREFERRED_HTTP_PORT, reason: null };
  await requireFreePort('HTTP_PORT', OTHER_HTTP_PORT, '::');
  const why = state === 'taken' ? 'is taken' : 'may not be bound by this user';
  return { port: OTHER_HTTP_PORT, reason: `port ${PREFERRED_HTTP_PORT} ${why}` };
}
