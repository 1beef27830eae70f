import { connect } from 'node:net';
import type { ProbeResult, ProbeTarget } from '../engine/ports.ts';

/** Whether the port accepts a connection within `timeoutMs`. Rejects only with the signal's reason. */
export function tcpProbe(target: ProbeTarget, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host: target.address, port: target.port });
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort);
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (reason: string) => end(() => resolve({ ok: false, reason, connected: false }));
    const abort = () => end(() => reject(signal.reason));
    const timer = setTimeout(
      () => fail(`it did not accept a connection within ${timeoutMs / 1000} s`),
      timeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => end(() => resolve({ ok: true })));
    socket.on('error', (error) => fail(connectionProblem(error)));
  });
}

/** Why no connection came about, as a clause that follows "the app listens, but". */
export function connectionProblem(error: Error): string {
  const code = 'code' in error ? error.code : null;
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'its address cannot be reached';
  return `the connection failed (${typeof code === 'string' ? code : error.message})`;
}
