import { setTimeout as delay } from 'node:timers/promises';
import { httpRequest } from './http-request.ts';
import { waitUntil } from './wait-until.ts';

/** One request through the proxy. `other`: a page came that is not of the app whose host was asked. */
export interface Probe {
  readonly host: string;
  /** Milliseconds of this process's clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: 'own' | 'other' | 'lost';
  readonly detail: string;
}

/** Apps that answer with their own name, asked again and again over new connections: do routes ever cross or vanish? */
export class IdentityProbes {
  readonly #port: number;
  readonly #pauseMs: number;
  readonly #probes: Probe[] = [];
  readonly #watching: Promise<void>[] = [];
  readonly #hosts: string[] = [];
  #isOver = false;

  constructor(options: { port: number; perSecond: number }) {
    this.#port = options.port;
    this.#pauseMs = 1000 / options.perSecond;
  }

  /** From now on: at this host, this app. */
  watch(host: string, app: string): void {
    this.#hosts.push(host);
    this.#watching.push(this.#watch(host, app));
  }

  /** Those that began then or later and have ended. */
  since(startedAt: number): Probe[] {
    return this.#probes.filter((probe) => probe.startedAt >= startedAt);
  }

  /** Until every host has answered so many requests that began after that moment. */
  async untilAllAnswer(after: number, { times = 1, timeoutMs = 60_000 } = {}): Promise<void> {
    const hasAnswered = (asked: string) =>
      this.since(after).filter(({ host, outcome }) => host === asked && outcome === 'own').length >= times;
    await waitUntil('every app to answer with its own name', () => this.#hosts.every(hasAnswered), {
      timeoutMs,
      intervalMs: 50,
      explain: () => describeProbes(this.since(after)),
    });
  }

  /** Asks nothing more, and awaits what is open. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#watching);
  }

  /** What is due is asked, however long the answers take. */
  async #watch(host: string, app: string): Promise<void> {
    const open = new Set<Promise<unknown>>();
    while (!this.#isOver) {
      const asked: Promise<unknown> = this.#ask(host, app).finally(() => open.delete(asked));
      open.add(asked);
      await delay(this.#pauseMs);
    }
    await Promise.all(open);
  }

  async #ask(host: string, app: string): Promise<void> {
    const startedAt = performance.now();
    const { outcome, detail } = await httpRequest({
      port: this.#port,
      host,
      path: '/',
      timeoutMs: 10_000,
    }).then(
      ({ status, body }) => judge(status, body, app),
      (error: NodeJS.ErrnoException) => ({ outcome: 'lost' as const, detail: error.code ?? error.message }),
    );
    this.#probes.push({ host, startedAt, endedAt: performance.now(), outcome, detail });
  }
}

/** The longest time for which an app gave no answer, from the first question on, the pause between two included. */
export function longestGapMs(probes: readonly Probe[]): number {
  const since = new Map<string, number>();
  for (const { host, startedAt } of probes.toSorted((a, b) => a.startedAt - b.startedAt)) {
    if (!since.has(host)) since.set(host, startedAt);
  }
  let longest = 0;
  for (const { host, outcome, endedAt } of probes.toSorted((a, b) => a.endedAt - b.endedAt)) {
    if (outcome !== 'own') continue;
    longest = Math.max(longest, endedAt - (since.get(host) ?? endedAt));
    since.set(host, endedAt);
  }
  return longest;
}

/** A few words for each kind of trouble, with the seconds since the first question; nothing, when every answer was right. */
export function describeProbes(probes: readonly Probe[]): string {
  const begun = Math.min(...probes.map(({ startedAt }) => startedAt));
  const kinds = new Map<string, { count: number; from: number; to: number }>();
  for (const { host, outcome, detail, startedAt, endedAt } of probes) {
    if (outcome === 'own') continue;
    const kind = `${host} ${outcome}: ${detail}`;
    const { count, from, to } = kinds.get(kind) ?? { count: 0, from: startedAt, to: endedAt };
    kinds.set(kind, { count: count + 1, from: Math.min(from, startedAt), to: Math.max(to, endedAt) });
  }
  const second = (at: number) => ((at - begun) / 1000).toFixed(1);
  return [...kinds]
    .map(([kind, { count, from, to }]) => `${count} × (${second(from)} to ${second(to)} s) ${kind}`)
    .join('\n');
}

function judge(status: number, body: string, app: string): Pick<Probe, 'outcome' | 'detail'> {
  if (status !== 200) return { outcome: 'lost', detail: `status ${status}, ${body.slice(0, 200)}` };
  return nameIn(body) === app
    ? { outcome: 'own', detail: '' }
    : { outcome: 'other', detail: body.slice(0, 200) };
}

function nameIn(body: string): unknown {
  try {
    return Object(JSON.parse(body)).app;
  } catch {
    return null;
  }
}
