/** One request of the load client, from its first byte to its last, or to its error. */
export interface LoadAnswer {
  readonly kind: 'keep-alive' | 'new-connection' | 'slow-post';
  /** Milliseconds of the load client's monotonic clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly status: number | null;
  /** The release that the body named. */
  readonly release: string | null;
  readonly error: string | null;
}

export interface LoadVerdict {
  readonly total: number;
  /** Not answered with 2xx and a whole body. */
  readonly lost: readonly LoadAnswer[];
  /** Sent after someone had the whole answer of a newer release, and answered by an older one. */
  readonly stale: readonly LoadAnswer[];
  readonly byRelease: Readonly<Record<string, number>>;
  readonly slowPosts: number;
  /** Milliseconds, of the fast requests. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Judges a run; `releases` in the order in which they were deployed. An unknown release counts as lost. */
export function judgeLoad(answers: readonly LoadAnswer[], releases: readonly string[]): LoadVerdict {
  const lost = answers.filter((answer) => !isWhole(answer) || !releases.includes(answer.release ?? ''));
  const byRelease: Record<string, number> = {};
  for (const { release } of answers) if (release !== null) byRelease[release] = (byRelease[release] ?? 0) + 1;
  return {
    total: answers.length,
    lost,
    stale: staleAnswers(answers, releases),
    byRelease,
    slowPosts: answers.filter(({ kind }) => kind === 'slow-post').length,
    latency: latencyOf(answers.filter(({ kind }) => kind !== 'slow-post')),
  };
}

/** A few words per kind of loss, for the message of a failed test. */
export function describeLost(verdict: LoadVerdict): string {
  const kinds = new Map<string, number>();
  for (const answer of [...verdict.lost, ...verdict.stale]) {
    const why = answer.error ?? `status ${answer.status}, release ${answer.release}`;
    const key = `${answer.kind}: ${why}`;
    kinds.set(key, (kinds.get(key) ?? 0) + 1);
  }
  return [...kinds].map(([why, count]) => `${count} × ${why}`).join('\n');
}

function isWhole(answer: LoadAnswer): boolean {
  return answer.error === null && answer.status !== null && answer.status >= 200 && answer.status < 300;
}

function staleAnswers(answers: readonly LoadAnswer[], releases: readonly string[]): LoadAnswer[] {
  const rank = new Map(releases.map((release, index) => [release, index]));
  const firstSeen = releases.map(() => Number.POSITIVE_INFINITY);
  for (const { release, endedAt } of answers) {
    const index = rank.get(release ?? '');
    if (index !== undefined) firstSeen[index] = Math.min(firstSeen[index] ?? endedAt, endedAt);
  }
  // newerSeen[i]: the earliest moment at which any release after i had been seen.
  const newerSeen = firstSeen.map((_, index) => Math.min(...firstSeen.slice(index + 1)));
  return answers.filter((answer) => {
    const index = rank.get(answer.release ?? '');
    return index !== undefined && answer.startedAt > (newerSeen[index] ?? Number.POSITIVE_INFINITY);
  });
}

function latencyOf(answers: readonly LoadAnswer[]): LoadVerdict['latency'] {
  const times = answers.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: times.at(-1) ?? 0 };
}
