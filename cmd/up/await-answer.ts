import { setTimeout as delay } from 'node:timers/promises';
import type { CannotStart } from '../../internal/host/cannot-start.ts';

const LIMIT_MS = 60_000;

/** Until it answers. @throws what `hopeless` gives, as soon as it gives something, or once a minute is over */
export async function awaitAnswer(
  isUp: () => Promise<boolean>,
  hopeless: (isOver: boolean) => CannotStart | null,
): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!(await isUp())) {
    const problem = hopeless(performance.now() > limit);
    if (problem !== null) throw problem;
    await delay(50);
  }
}
