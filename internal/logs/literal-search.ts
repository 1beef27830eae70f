/** Where something stands: from, and up to, which character. */
export interface Range {
  readonly from: number;
  to: number;
}

/** So many characters at the beginning of a literal find it; a shorter one is not taken. */
export const MIN_LITERAL = 6;
const FACTOR = 0x01000193;
/** What the oldest character of a window has been multiplied by. */
const OLDEST = power(FACTOR, MIN_LITERAL - 1);
/** Characters that one text may cost to compare. Ordinary lines cost none at all. */
const MAX_WORK = 4_000_000;
const FILTER_PLACES_EACH = 16;

/**
 * Finds many literals in a text at once, however many and however long they are: by a hash of the last six characters,
 * which rolls on with the text. A regular expression of them is refused by the engine from some 100 KB on (and says so
 * with all its text), and costs with each literal.
 */
export class LiteralSearch {
  /** By the hash of their beginning, the longest first. */
  readonly #byHash = new Map<number, string[]>();
  /** Whether there may be literals of a hash: almost every place of a text ends here. */
  #filter = new Uint8Array(256);

  add(literal: string): void {
    if (literal.length < MIN_LITERAL) return;
    const hash = hashOf(literal);
    const literals = this.#byHash.get(hash) ?? [];
    if (literals.includes(literal)) return;
    literals.push(literal);
    literals.sort((a, b) => b.length - a.length);
    this.#byHash.set(hash, literals);
    if (this.#byHash.size * FILTER_PLACES_EACH > this.#filter.length) this.#growFilter();
    else this.#filter[this.#placeOf(hash)] = 1;
  }

  /** Where literals stand, overlapping and touching ones joined; null: it would cost too much to tell. */
  rangesIn(text: string): Range[] | null {
    const ranges: Range[] = [];
    if (this.#byHash.size === 0 || text.length < MIN_LITERAL) return ranges;
    let end = -1;
    let work = 0;
    let hash = hashOf(text);
    for (let from = 0; ; from += 1) {
      if (this.#filter[this.#placeOf(hash)] === 1) {
        for (const literal of this.#byHash.get(hash) ?? []) {
          // It, and all that follow, would end within what is found already.
          if (from + literal.length <= end) break;
          if (from + literal.length > text.length) continue;
          work += literal.length;
          if (work > MAX_WORK) return null;
          if (!text.startsWith(literal, from)) continue;
          const last = ranges.at(-1);
          if (last && from <= end) last.to = from + literal.length;
          else ranges.push({ from, to: from + literal.length });
          end = from + literal.length;
          break;
        }
      }
      const next = from + MIN_LITERAL;
      if (next >= text.length) return ranges;
      const rest = hash - Math.imul(text.charCodeAt(from), OLDEST);
      hash = (Math.imul(rest, FACTOR) + text.charCodeAt(next)) | 0;
    }
  }

  #growFilter(): void {
    this.#filter = new Uint8Array(this.#filter.length * 4);
    for (const hash of this.#byHash.keys()) this.#filter[this.#placeOf(hash)] = 1;
  }

  #placeOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.#filter.length - 1);
  }
}

/** Of its first characters. */
function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < MIN_LITERAL; at += 1) hash = (Math.imul(hash, FACTOR) + text.charCodeAt(at)) | 0;
  return hash;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let count = 0; count < exponent; count += 1) result = Math.imul(result, base);
  return result;
}
