import { type IncomingMessage, request } from 'node:http';
import type { ProbeResult, ProbeTarget } from '../engine/ports.ts';
import { connectionProblem } from './tcp-probe.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_EXCERPT_LENGTH = 200;
const NOT_URL_CHARACTERS = /[^\x21-\x7e]/gu;
const CONTROLS = /\p{Cc}|\p{Bidi_Control}/gu;

/**
 * One GET to the container itself, never to where it redirects (T37). Good is 200–399 and a body that ends within the
 * time, or goes beyond 64 KB, of which no more is read. `timeoutMs` covers all of it, so a trickle does not help (F30).
 * Rejects only with the signal's reason.
 */
export function httpProbe(
  target: ProbeTarget & { readonly path: string },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let connected = false;
    let status: string | null = null;

    const probe = request({
      host: target.address,
      port: target.port,
      path: target.path.replace(NOT_URL_CHARACTERS, encodeURIComponent),
      agent: false,
      headers: { host: target.host, 'user-agent': 'berth-health-check', accept: '*/*' },
      maxHeaderSize: 32 * 1024,
    });
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort);
      clearTimeout(timer);
      probe.destroy();
      settle();
    };
    const fail = (reason: string) => end(() => resolve({ ok: false, reason, connected }));
    const abort = () => end(() => reject(signal.reason));
    const late = () => {
      const what = status === null ? 'it did not answer' : `it answered ${status}, but did not finish`;
      fail(connected ? `${what} within ${timeoutMs / 1000} s` : connectTimedOut(timeoutMs));
    };
    const timer = setTimeout(late, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });

    probe.on('socket', (socket) => {
      socket.once('connect', () => {
        connected = true;
      });
    });
    probe.on('error', (error) => fail(connected ? brokenOff(error) : connectionProblem(error)));
    probe.on('response', (response) => {
      status = `${response.statusCode} ${response.statusMessage ?? ''}`.replace(CONTROLS, '').trim();
      readBody(response)
        .then((body) => end(() => resolve(judge(response.statusCode ?? 0, status ?? '', body))))
        .catch((error: Error) => fail(brokenOff(error)));
    });
    probe.end();
  });
}

function judge(code: number, status: string, body: string): ProbeResult {
  if (code >= 200 && code < 400) return { ok: true };
  const excerpt = body.replace(/\s+/g, ' ').replace(CONTROLS, '').trim().slice(0, MAX_EXCERPT_LENGTH);
  const reason = excerpt === '' ? `it answered ${status}` : `it answered ${status}: "${excerpt}"`;
  return { ok: false, reason, connected: true };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a response must give bytes');
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function connectTimedOut(timeoutMs: number): string {
  return `it did not accept a connection within ${timeoutMs / 1000} s`;
}

function brokenOff(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return code.startsWith('HPE_')
    ? `its answer is not HTTP (${code})`
    : `it broke off the connection (${code})`;
}
