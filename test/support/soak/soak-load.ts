import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiAnswer } from '../api-client.ts';
import { type Pushed, tell } from '../github-repository.ts';
import type { HttpAnswer } from '../http-request.ts';
import type { Platform } from '../platform.ts';
import { waitUntil } from '../wait-until.ts';
import type { SeededRandom } from './seeded-random.ts';
import { BREAKAGES, type SoakApp, soakVersion } from './soak-apps.ts';

const BROKEN = 0.2;
const PUSHED = 0.3;
const CANCELLED = 0.25;
/** A client that is not answered asks again, so long. */
const PATIENCE_MS = 180_000;

/**
 * Requests for deployments, by the API and by webhook, some of broken versions, some cancelled. Each is repeated, with
 * the same key, until it is answered: that is what a client may count on.
 */
export class SoakLoad {
  /** Deployment ids as the API answered them, one for each Idempotency-Key. */
  readonly accepted: { readonly key: string; readonly deploymentId: string }[] = [];
  /** Deliveries that were taken. */
  readonly delivered: string[] = [];
  cancels = 0;
  /** Commit → the release that it answers with. */
  readonly releases = new Map<string, string>();
  /** Requests that got no answer, or a wrong one. */
  readonly problems: string[] = [];
  readonly #platform: Platform;
  readonly #random: SeededRandom;
  readonly #busyboxImage: string;

  constructor(of: { platform: Platform; random: SeededRandom; busyboxImage: string }) {
    this.#platform = of.platform;
    this.#random = of.random;
    this.#busyboxImage = of.busyboxImage;
  }

  /** Ends when the last request is answered. */
  async run(apps: readonly SoakApp[], of: { requests: number; seconds: number }): Promise<void> {
    const random = this.#random;
    const open: Promise<void>[] = [];
    for (let count = 1; count <= of.requests; count++) {
      const to = random.pick(apps);
      const { name } = to.app;
      const release = `${name}@${count}`;
      const broken = random.chance(BROKEN) ? random.pick(BREAKAGES) : null;
      const pushed = await to.repository.push(
        soakVersion(this.#busyboxImage, { app: name, release, broken }),
      );
      this.releases.set(pushed.after, release);
      const isPush = random.chance(PUSHED);
      const cancelAfterMs = random.chance(CANCELLED) ? random.between(0, 4_000) : null;
      const request = isPush ? this.#push(to, pushed) : this.#deploy(to, cancelAfterMs);
      open.push(request.catch((error: unknown) => void this.problems.push(String(error))));
      await delay((random.between(0.5, 1.5) * of.seconds * 1000) / of.requests);
    }
    await Promise.all(open);
  }

  async #deploy({ app }: SoakApp, cancelAfterMs: number | null): Promise<void> {
    const key = randomUUID();
    const { api } = this.#platform;
    const headers = { 'idempotency-key': key };
    const { status, body } = await untilAnswered(`the request ${key}`, () =>
      api.send('POST', `/apps/${app.id}/deploy`, {}, headers),
    );
    if (status !== 202) throw new Error(`the request ${key} was answered ${status}: ${JSON.stringify(body)}`);
    const { id } = body as { id: string };
    this.accepted.push({ key, deploymentId: id });
    if (cancelAfterMs === null) return;
    await delay(cancelAfterMs);
    const answer = await untilAnswered(`the cancellation of ${id}`, () =>
      api.send('POST', `/deployments/${id}/cancel`),
    );
    // 409: too late.
    if (![200, 202, 409].includes(answer.status))
      throw new Error(`cancelling ${id} was answered ${answer.status}`);
    this.cancels += 1;
  }

  async #push({ hook }: SoakApp, { payload }: Pushed): Promise<void> {
    const deliveryId = randomUUID();
    const { status, body } = await untilAnswered(`the delivery ${deliveryId}`, () =>
      tell(hook, payload, { deliveryId }),
    );
    if (status !== 200 && status !== 202)
      throw new Error(`the delivery ${deliveryId} was answered ${status}: ${body}`);
    this.delivered.push(deliveryId);
  }
}

/** The same again while nobody answers, or only to say that something is away. */
function untilAnswered<A extends ApiAnswer | HttpAnswer>(what: string, ask: () => Promise<A>): Promise<A> {
  return waitUntil(
    `an answer to ${what}`,
    async () => {
      const answer = await ask().catch(() => null);
      return answer === null || answer.status >= 500 ? null : answer;
    },
    { timeoutMs: PATIENCE_MS, intervalMs: 250 },
  );
}
