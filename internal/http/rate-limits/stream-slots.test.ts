import { expect, test } from '@jest/globals';
import { AppError } from '../../errors/app-error.ts';
import { StreamSlots } from './stream-slots.ts';

test('T54: one more than allowed is refused, until one has ended; others are not concerned', () => {
  const slots = new StreamSlots(2);
  const first = slots.hold('a');
  slots.hold('a');
  expect(() => slots.hold('a')).toThrow(AppError);
  expect(() => slots.hold('b')).not.toThrow();
  first();
  first();
  slots.hold('a');
  expect(() => slots.hold('a')).toThrow('You have 2 streams open');
});
