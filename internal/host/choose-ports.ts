import { createServer } from 'node:net';
import { CannotStart } from './cannot-start.ts';

export type PortState = 'free' | 'taken' | 'forbidden';

/** Tries to listen. `forbidden`: this user may not bind so low a port. */
export function probePort(port: number, address: string | undefined): Promise<PortState> {
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

/**
 * `remedy`: the setting as it is written before `bin/up` to choose another port, e.g. `PORT=<port>`.
 * @throws CannotStart: one line that names the port and the remedy.
 */
export async function requireFreePort(
  port: number,
  address: string | undefined,
  remedy: string,
): Promise<void> {
  const state = await probePort(port, address);
  if (state === 'free') return;
  throw new CannotStart(`Port ${port} ${WORDS[state]}; choose another one: ${remedy} bin/up`);
}

const WORDS = { taken: 'is taken', forbidden: 'may not be bound by this user' };

/** As Traefik binds: undefined is IPv6 and IPv4, or IPv4 alone where there is no IPv6. */
const EVERYWHERE = undefined;
const PREFERRED_HTTP_PORT = 80;
const OTHER_HTTP_PORT = 8000;

/** Where Traefik serves apps: the port that was set, else 80 where it may be bound, else 8000. */
export async function chooseHttpPort(
  wanted: number | null,
): Promise<{ port: number; reason: string | null }> {
  if (wanted !== null) {
    await requireFreePort(wanted, EVERYWHERE, 'HTTP_PORT=<port>');
    return { port: wanted, reason: null };
  }
  const state = await probePort(PREFERRED_HTTP_PORT, EVERYWHERE);
  if (state === 'free') return { port: PREFERRED_HTTP_PORT, reason: null };
  await requireFreePort(OTHER_HTTP_PORT, EVERYWHERE, 'HTTP_PORT=<port>');
  return { port: OTHER_HTTP_PORT, reason: `port ${PREFERRED_HTTP_PORT} ${WORDS[state]}` };
}
