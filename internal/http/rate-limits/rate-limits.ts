import type { RateLimits as Limits } from '../../config/config.ts';
import type { Database } from '../../db/database.ts';
import type { Caller } from '../../openapi/operation.ts';
import { Bucket } from './bucket.ts';
import { clientKey } from './client-key.ts';
import { StreamSlots } from './stream-slots.ts';

/**
 * How much of everything there may be (T54). What is asked for often is counted in memory, since a row written for each
 * request would cost more than most requests; what is rare and dear, in the database, where a restart forgets nothing.
 * Every method throws AppError rate_limited.
 */
export class RateLimits {
  readonly #requests: Bucket;
  readonly #deploys: Bucket;
  readonly #signIns: Bucket;
  readonly #webhooks: Bucket;
  readonly #streams: StreamSlots;

  constructor(pool: Database['pool'], limits: Limits) {
    this.#requests = Bucket.inMemory({
      name: 'request',
      perMinute: limits.requests,
      what: 'requests',
    });
    this.#deploys = Bucket.inDatabase(pool, {
      name: 'deploy',
      perMinute: limits.deploys,
      what: 'deployments',
    });
    this.#signIns = Bucket.inDatabase(pool, {
      name: 'sign-in',
      perMinute: limits.signIns,
      what: 'attempts to sign in',
    });
    this.#webhooks = Bucket.inMemory({
      name: 'webhook',
      perMinute: limits.webhooks,
      what: 'deliveries',
    });
    this.#streams = new StreamSlots(limits.streamsPerUser);
  }

  request({ userId }: Caller): Promise<void> {
    return this.#requests.take(userId);
  }

  deploy({ userId }: Caller): Promise<void> {
    return this.#deploys.take(userId);
  }

  /** A sign-in, or a request with a wrong token, from that address. */
  signIn(address: string): Promise<void> {
    return this.#signIns.take(clientKey(address));
  }

  /** `target` as in the rows of deliveries: `app:{id}`, `github-app`. */
  webhook(target: string): Promise<void> {
    return this.#webhooks.take(target);
  }

  /** Counts a stream until the returned function is called. */
  stream({ userId }: Caller): () => void {
    return this.#streams.hold(userId);
  }
}
