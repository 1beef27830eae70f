/**
 * Hands on what a source gives, and an empty list as soon as something is due while it gives nothing, so that its reader
 * can store what waits. One step is read ahead, no more.
 */
export async function* untilDue<T>(
  source: AsyncIterable<readonly T[]>,
  waiting: { readonly dueInMs: number | null },
): AsyncGenerator<readonly T[]> {
  const steps = source[Symbol.asyncIterator]();
  for (;;) {
    const next = steps.next();
    // Whoever ends the source early does not come back for its answer.
    next.catch(() => undefined);
    while (!(await settles(next, waiting.dueInMs))) yield [];
    const step = await next;
    if (step.done) return;
    yield step.value;
  }
}

/** False when the time is over first; null: no time is set. */
async function settles(promise: Promise<unknown>, withinMs: number | null): Promise<boolean> {
  if (withinMs === null) return true;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, withinMs, false);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, over]);
  } finally {
    clearTimeout(timer);
  }
}
