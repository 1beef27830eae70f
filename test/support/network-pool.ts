import { randomInt } from 'node:crypto';

/**
 * A NETWORK_POOL for one platform: two at once on one host must not choose the same subnets. Those of one test run never
 * do, for each of its two workers has every second pool; other runs hardly.
 */
export function networkPool(): string {
  const ofWorker = Number(process.env['JEST_WORKER_ID'] ?? 0) % 2;
  return `10.${100 + 2 * randomInt(75) + ofWorker}.0.0/16`;
}
