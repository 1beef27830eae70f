import { expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

const never = new AbortController().signal;
const options = { signal: never, atMostMs: 60_000 };

test('who names the same thing waits for those before, in their order', async () => {
  const turns = new Turns();
  const events: string[] = [];
  const first = await turns.take('a', options);
  const others = ['second', 'third'].map(async (who) => {
    const end = await turns.take('a', options);
    events.push(who);
    await Promise.resolve();
    events.push(`${who} done`);
    end();
  });
  (await turns.take('b', options))();
  events.push('first done');
  first();
  await Promise.all(others);
  expect(events).toEqual(['first done', 'second', 'second done', 'third', 'third done']);
});

test('who is stopped while waiting is out of the row, and those behind still wait for those before', async () => {
  const turns = new Turns();
  const first = await turns.take('a', options);
  const stop = new AbortController();
  const second = turns.take('a', { ...options, signal: stop.signal });
  let isThirdsTurn = false;
  const third = turns.take('a', options).then((end) => {
    isThirdsTurn = true;
    end();
  });
  stop.abort(new Error('stopped'));
  await expect(second).rejects.toThrow('stopped');
  expect(isThirdsTurn).toBe(false);
  first();
  await third;
});

test('nobody waits longer than they want to', async () => {
  const turns = new Turns();
  await turns.take('a', options);
  (await turns.take('a', { ...options, atMostMs: 1 }))();
});
