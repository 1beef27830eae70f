import type { HealthProbe, ProbeResult, ProbeTarget } from '../engine/ports.ts';
import { httpProbe } from './http-probe.ts';
import { tcpProbe } from './tcp-probe.ts';

const TRY_MS = 5000;

/** Asks a container over the network, as Traefik would: by HTTP where there is a path, else whether its port is open. */
export class NetworkProbe implements HealthProbe {
  readonly #tryMs: number;

  constructor(tryMs = TRY_MS) {
    this.#tryMs = tryMs;
  }

  ask(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
    const { path } = target;
    return path === null
      ? tcpProbe(target, this.#tryMs, signal)
      : httpProbe({ ...target, path }, this.#tryMs, signal);
  }
}
