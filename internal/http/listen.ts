import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { passUpgrades } from './upgrade-requests.ts';

export interface ListenOptions {
  readonly port: number;
  readonly address: string;
  /** A client may take so long for its whole request (T59). */
  readonly requestTimeoutMs?: number;
}

export interface Listening {
  readonly port: number;
  /** Takes no more connections, lets requests that run end within the grace, then cuts what is left (streams, WebSockets). */
  close(graceMs: number): Promise<void>;
}

/** @throws with a sentence that names the address when it cannot be had. */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listening> {
  const requestTimeout = options.requestTimeoutMs ?? 30_000;
  const server = createServer(
    {
      requestTimeout,
      headersTimeout: Math.min(10_000, requestTimeout),
      connectionsCheckingInterval: Math.min(5_000, requestTimeout),
      // Longer than the proxy keeps an idle connection: it closes first, so no request meets a closing one.
      keepAliveTimeout: 65_000,
    },
    handler,
  );
  const upgraded = passUpgrades(server, handler);
  await bind(server, options);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    close: (graceMs) => closeServer(server, upgraded, graceMs),
  };
}

function bind(server: Server, { port, address }: ListenOptions): Promise<void> {
  return new Promise((bound, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program has it' : (cause.code ?? cause.message);
      failed(new Error(`Cannot listen on ${address}:${port}: ${why}.`, { cause }));
    });
    server.listen(port, address, () => bound());
  });
}

async function closeServer(server: Server, upgraded: ReadonlySet<Duplex>, graceMs: number): Promise<void> {
  const cut = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  }, graceMs);
  try {
    await new Promise<void>((closed) => {
      server.close(() => closed());
      server.closeIdleConnections();
    });
  } finally {
    clearTimeout(cut);
  }
}
