import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Relay } from './relay.ts';

export interface StallingProxy {
  readonly port: number;
  /** Connections made while it stalls; they are accepted and get nothing. */
  stalled(): number;
  /** From now on nothing goes through new connections. */
  stall(): void;
  /** New connections work again; those that stalled stay so. */
  resume(): void;
  close(): Promise<void>;
}

/** A TCP proxy in front of 127.0.0.1:`target` that can go silent without closing anything: a hung Git server. */
export async function startStallingProxy(target: number): Promise<StallingProxy> {
  const relay = new Relay();
  let isStalling = false;
  let stalled = 0;
  const server = createServer((client) => {
    if (isStalling) {
      relay.track(client);
      stalled += 1;
      return;
    }
    relay.join(client, connect(target, '127.0.0.1'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stalled: () => stalled,
    stall: () => {
      isStalling = true;
    },
    resume: () => {
      isStalling = false;
    },
    async close() {
      relay.endAll();
      await new Promise((closed) => server.close(closed));
    },
  };
}
