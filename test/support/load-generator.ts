// The load client's own process: `node --import tsx load-generator.ts`, spoken to over IPC, so that neither the test nor
// a build beside it delays the clock by which requests are sent.
import { Agent, type ClientRequest, type RequestOptions, request } from 'node:http';
import type { LoadMessage, LoadOptions, LoadProgress } from './load-client.ts';
import type { LoadAnswer } from './load-report.ts';

const TICK_MS = 5;
const REQUEST_TIMEOUT_MS = 30_000;
/** Beyond it the client itself is the bottleneck, which must show as loss and not as a lower rate. */
const MAX_IN_FLIGHT = 2_000;

const keepAlive = new Agent({ keepAlive: true, maxSockets: 64 });
const slowKeepAlive = new Agent({ keepAlive: true });
const answers: LoadAnswer[] = [];
const releases = new Set<string>();
let inFlight = 0;
let failed = 0;
let stopping = false;

process.once('message', (options: LoadOptions) => {
  process.on('message', (message) => {
    if (message === 'stop') stopping = true;
  });
  // The parent is gone: nobody wants the rest.
  process.on('disconnect', () => process.exit(0));
  void run(options);
});

async function run(options: LoadOptions): Promise<void> {
  const report = setInterval(() => send({ progress: progress() }), 100);
  await Promise.all([
    fastRequests(options),
    ...Array.from({ length: options.slowPosts?.connections ?? 0 }, () => slowPosts(options)),
  ]);
  while (inFlight > 0) await pause(TICK_MS);
  clearInterval(report);
  // Thousands of answers take a while to be written; gone too early, they would be lost.
  send({ answers, progress: progress() }, () => process.exit(0));
}

/** Open loop: what is due is sent, however long the answers take. */
async function fastRequests(options: LoadOptions): Promise<void> {
  const startedAt = performance.now();
  const endsAt = startedAt + options.maxSeconds * 1000;
  let sent = 0;
  while (!stopping && performance.now() < endsAt) {
    const due = Math.floor(((performance.now() - startedAt) * options.ratePerSecond) / 1000);
    for (; sent < due; sent++) {
      const kind = sent % 2 === 0 ? 'keep-alive' : 'new-connection';
      void ask(kind, options, {
        method: 'GET',
        path: options.path,
        agent: kind === 'keep-alive' ? keepAlive : false,
      });
    }
    await pause(TICK_MS);
  }
  stopping = true;
}

async function slowPosts(options: LoadOptions): Promise<void> {
  const path = `/slow?ms=${options.slowPosts?.milliseconds ?? 0}`;
  while (!stopping) await ask('slow-post', options, { method: 'POST', path, agent: slowKeepAlive });
}

function ask(kind: LoadAnswer['kind'], to: LoadOptions, how: RequestOptions): Promise<void> {
  const startedAt = performance.now();
  return new Promise((done) => {
    let isDone = false;
    const finish = (status: number | null, release: string | null, error: string | null) => {
      if (isDone) return;
      isDone = true;
      answers.push({ kind, startedAt, endedAt: performance.now(), status, release, error });
      if (release !== null) releases.add(release);
      if (error !== null || status === null || status < 200 || status > 299) failed += 1;
      inFlight -= 1;
      done();
    };
    inFlight += 1;
    if (inFlight > MAX_IN_FLIGHT) return finish(null, null, 'the load client has too many requests open');
    const body = kind === 'slow-post' ? 'x'.repeat(1024) : '';
    const asked: ClientRequest = request(
      {
        host: '127.0.0.1',
        port: to.port,
        headers: { host: to.host, ...(body === '' ? {} : { 'content-length': body.length }) },
        timeout: REQUEST_TIMEOUT_MS,
        ...how,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => finish(response.statusCode ?? null, releaseIn(text), null));
        response.on('error', (error) =>
          finish(response.statusCode ?? null, null, `in the body: ${error.message}`),
        );
        response.on('aborted', () => finish(response.statusCode ?? null, null, 'the body was cut'));
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('error', (error: NodeJS.ErrnoException) => finish(null, null, error.code ?? error.message));
    asked.end(body);
  });
}

function releaseIn(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    const release = typeof body === 'object' && body !== null && 'release' in body ? body.release : null;
    return typeof release === 'string' ? release : null;
  } catch {
    return null;
  }
}

function progress(): LoadProgress {
  return { sent: answers.length + inFlight, failed, releases: [...releases] };
}

function send(message: LoadMessage, whenWritten: () => void = () => {}): void {
  if (process.connected) process.send?.(message, whenWritten);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}
