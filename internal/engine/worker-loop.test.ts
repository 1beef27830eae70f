import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { systemClock } from '../clock/clock.ts';
import { Bell, runWorkerLoop } from './worker-loop.ts';

const silent = pino({ level: 'silent' });

function loopOver(
  jobs: (() => Promise<void>)[],
  options: { concurrency?: number; pollIntervalMs?: number } = {},
) {
  const stop = new AbortController();
  const bell = new Bell();
  const ended = runWorkerLoop({
    take: async () => {
      const job = jobs.shift();
      return job ? { done: job() } : null;
    },
    concurrency: options.concurrency ?? 2,
    pollIntervalMs: options.pollIntervalMs ?? 60_000,
    bell,
    clock: systemClock,
    logger: silent,
    signal: stop.signal,
  });
  return { bell, stop: () => stop.abort(), ended };
}

describe('the worker loop', () => {
  test('takes work that comes later when the bell rings, long before the next poll', async () => {
    const jobs: (() => Promise<void>)[] = [];
    const loop = loopOver(jobs);
    await new Promise<void>((resolve) => {
      jobs.push(async () => resolve());
      loop.bell.ring();
    });
    loop.stop();
    await loop.ended;
  });

  test('finds it by polling alone when the bell never rings', async () => {
    const jobs: (() => Promise<void>)[] = [];
    const loop = loopOver(jobs, { pollIntervalMs: 20 });
    await new Promise<void>((resolve) => jobs.push(async () => resolve()));
    loop.stop();
    await loop.ended;
  });

  test('never runs more at once than it may', async () => {
    let now = 0;
    let most = 0;
    let done = 0;
    const job = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      done += 1;
    };
    const loop = loopOver(
      Array.from({ length: 9 }, () => job),
      { concurrency: 3 },
    );
    while (done < 9) await new Promise((resolve) => setImmediate(resolve));
    loop.stop();
    await loop.ended;
    expect(most).toBe(3);
  });

  test('goes on after work that failed', async () => {
    const jobs: (() => Promise<void>)[] = [async () => Promise.reject(new Error('boom'))];
    const loop = loopOver(jobs, { concurrency: 1 });
    await new Promise<void>((resolve) => jobs.push(async () => resolve()));
    loop.stop();
    await loop.ended;
  });

  test('when stopped waits for what it has taken', async () => {
    let release = () => {};
    let ended = false;
    const loop = loopOver([() => new Promise<void>((resolve) => (release = resolve))]);
    await new Promise((resolve) => setImmediate(resolve));
    loop.stop();
    void loop.ended.then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    release();
    await loop.ended;
  });
});
