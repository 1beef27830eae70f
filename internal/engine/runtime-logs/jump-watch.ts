const JUMP_NS = 50_000_000n;
/** A reader that is no further behind than this has met no rotated file. */
const BEHIND_MS = 500;
/** An app that is silent now and then makes jumps of its own; finding that out costs a reading. */
const PAUSE_MS = 1_000;

/**
 * Notices where a followed output may lack a part. An Engine whose follower is outrun by its writer goes on with the
 * newest file and passes over those that were rotated meanwhile (20.10: 260,000 lines at once), though it still has them:
 * asked anew, from the cursor, it tells them. In the times this is a jump, met by a reader that is behind.
 */
export class JumpWatch {
  #lastNs: bigint | null = null;
  #doubtedAtMs = Number.NEGATIVE_INFINITY;

  /** A new telling begins; where it begins says nothing. */
  begin(): void {
    this.#lastNs = null;
  }

  /** True: before taking this piece, read anew from the one before it. */
  doubts(ns: bigint, nowMs: number): boolean {
    const last = this.#lastNs;
    if (last === null || ns > last) this.#lastNs = ns;
    if (last === null || ns - last < JUMP_NS) return false;
    const isBehind =
      nowMs - Number(last / 1_000_000n) > BEHIND_MS && nowMs - Number(ns / 1_000_000n) > BEHIND_MS;
    if (!isBehind || nowMs - this.#doubtedAtMs < PAUSE_MS) return false;
    this.#doubtedAtMs = nowMs;
    return true;
  }
}
