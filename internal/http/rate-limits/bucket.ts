import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Database } from '../../db/database.ts';
import { AppError } from '../../errors/app-error.ts';

export const WINDOW_SECONDS = 60;

interface BucketOptions {
  readonly name: string;
  readonly perMinute: number;
  /** What there is too much of: `deployments`. */
  readonly what: string;
}

/** So many in a minute for each key, from the first one on. */
export class Bucket {
  readonly #limiter: RateLimiterAbstract;
  readonly #options: BucketOptions;

  private constructor(limiter: RateLimiterAbstract, options: BucketOptions) {
    this.#limiter = limiter;
    this.#options = options;
  }

  /** Counted in this process: costs nothing, and begins anew with it. */
  static inMemory(options: BucketOptions): Bucket {
    return new Bucket(new RateLimiterMemory(limitOf(options)), options);
  }

  /** Counted in the database, over restarts and processes; in memory while it is away. */
  static inDatabase(pool: Database['pool'], options: BucketOptions): Bucket {
    const limiter = new RateLimiterPostgres({
      ...limitOf(options),
      storeClient: pool,
      storeType: 'pool',
      tableName: 'rate_limits',
      tableCreated: true,
      // Who is over the limit asks the database no more.
      inMemoryBlockOnConsumed: options.perMinute + 1,
      insuranceLimiter: new RateLimiterMemory(limitOf(options)),
    });
    return new Bucket(limiter, options);
  }

  /** @throws AppError rate_limited */
  async take(key: string): Promise<void> {
    try {
      await this.#limiter.consume(key);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) throw this.#tooMany(Math.ceil(refusal.msBeforeNext / 1000));
      throw refusal;
    }
  }

  #tooMany(seconds: number): AppError {
    const { perMinute, what } = this.#options;
    const retryAfterSeconds = Math.max(1, seconds);
    const detail = `Too many ${what}: ${perMinute} in a minute are allowed. Try again in ${retryAfterSeconds} s.`;
    return new AppError('rate_limited', detail, { retryAfterSeconds });
  }
}

function limitOf({ name, perMinute }: BucketOptions) {
  return { keyPrefix: name, points: perMinute, duration: WINDOW_SECONDS };
}
