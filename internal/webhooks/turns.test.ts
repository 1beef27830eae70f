import { expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

const nextTick = () => new Promise((resolve) => setImmediate(resolve));

test('work of one key is done one by one in its order, that of another key beside it, and nothing is kept', async () => {
  const turns = new Turns();
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await nextTick();
    events.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([
    turns.take('a', work('a1')),
    turns.take('a', work('a2')),
    turns.take('b', work('b1')),
  ]);
  expect(results).toEqual(['a1', 'a2', 'b1']);
  expect(events.filter((event) => event.startsWith('a'))).toEqual([
    'a1 begins',
    'a1 ends',
    'a2 begins',
    'a2 ends',
  ]);
  expect(events.indexOf('b1 begins')).toBeLessThan(events.indexOf('a1 ends'));
  await nextTick();
  expect(turns.size).toBe(0);
});

test('work that fails is told to who asked, and the next one has its turn', async () => {
  const turns = new Turns();
  const failed = turns.take('a', () => Promise.reject(new Error('no')));
  const next = turns.take('a', async () => 'yes');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
