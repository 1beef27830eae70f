/**
 * One pattern of a `.dockerignore` or of an app's watch paths: Go's filepath.Match with `**`, as Docker's
 * moby/patternmatcher reads it.
 * Matched by walking a small state machine, never by a regular expression: six `**` before a name made the usual
 * library's expression work for 5 s on one path of 120 characters, and repositories are written by strangers.
 */
export interface PathPattern {
  /** Whether it matches the path or a folder above it. */
  covers(path: string): boolean;
}

type Token =
  | { readonly kind: 'one'; readonly accepts: (character: string) => boolean }
  /** `*`: any number of characters of one name. */
  | { readonly kind: 'name' }
  /** `**` at the end: any number of characters. */
  | { readonly kind: 'rest' }
  /** `**` before something: nothing, or any folders with their slash. */
  | { readonly kind: 'folders' }
  | { readonly kind: 'inside folders' };

const notSlash = (character: string) => character !== '/';

/** The pattern, already cleaned (no leading slash, no `.` parts); null when its brackets do not close. */
export function parsePathPattern(text: string): PathPattern | null {
  const tokens = tokenise(Array.from(text));
  return tokens && { covers: (path) => walk(tokens, path) };
}

function tokenise(characters: readonly string[]): Token[] | null {
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    if (character === '*' && characters[at + 1] === '*') {
      at += characters[at + 2] === '/' ? 2 : 1;
      if (at + 1 >= characters.length || isSuffix(characters)) tokens.push({ kind: 'rest' });
      // `**/**/` says what `**/` says.
      else if (tokens.at(-1)?.kind !== 'inside folders') {
        tokens.push({ kind: 'folders' }, { kind: 'inside folders' });
      }
    } else if (character === '*') {
      if (tokens.at(-1)?.kind !== 'name') tokens.push({ kind: 'name' });
    } else if (character === '?') {
      tokens.push({ kind: 'one', accepts: notSlash });
    } else if (character === '[') {
      const set = readSet(characters, at + 1);
      if (!set) return null;
      tokens.push({ kind: 'one', accepts: set.accepts });
      at = set.end;
    } else {
      if (character === '\\') at++;
      const literal = characters[at];
      if (literal === undefined) return null;
      tokens.push({ kind: 'one', accepts: (other) => other === literal });
    }
  }
  return tokens;
}

/** `**.md`: Docker takes `**` and plain text without a slash between them as "ends with", also within a name. */
function isSuffix(characters: readonly string[]): boolean {
  return characters[2] !== '/' && /^\*\*[^*?[\\]+$/.test(characters.join(''));
}

/** `[a-z]`, `[^a-z]`, from after the bracket to the closing one. */
function readSet(
  characters: readonly string[],
  from: number,
): { end: number; accepts: (character: string) => boolean } | null {
  const negated = characters[from] === '^';
  const ranges: [string, string][] = [];
  let at = negated ? from + 1 : from;
  const next = () => {
    if (characters[at] === '\\') at++;
    return characters[at++];
  };
  while (at < characters.length && characters[at] !== ']') {
    const low = next();
    let high = low;
    if (characters[at] === '-' && characters[at + 1] !== ']') {
      at++;
      high = next();
    }
    if (low === undefined || high === undefined) return null;
    ranges.push([low, high]);
  }
  if (at >= characters.length || ranges.length === 0) return null;
  const listed = (character: string) => ranges.some(([low, high]) => low <= character && character <= high);
  return { end: at, accepts: (character) => notSlash(character) && listed(character) !== negated };
}

/** Keeps the set of places in the pattern that the path so far may have led to: cost is path times pattern. */
function walk(tokens: readonly Token[], path: string): boolean {
  let places = reach(tokens, [0]);
  for (const character of path) {
    if (character === '/' && places.has(tokens.length)) return true;
    const next: number[] = [];
    for (const place of places) {
      const token = tokens[place];
      switch (token?.kind) {
        case 'one':
          if (token.accepts(character)) next.push(place + 1);
          break;
        case 'name':
          if (notSlash(character)) next.push(place);
          break;
        case 'rest':
          next.push(place);
          break;
        case 'inside folders':
          next.push(place);
          if (character === '/') next.push(place + 1);
          break;
        // Past the end, and `folders` (only ever passed through), lead nowhere.
        case 'folders':
        case undefined:
          break;
      }
    }
    if (next.length === 0) return false;
    places = reach(tokens, next);
  }
  return places.has(tokens.length);
}

/** The places that are reached without another character. */
function reach(tokens: readonly Token[], from: readonly number[]): Set<number> {
  const places = new Set<number>();
  const open = [...from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (places.has(place)) continue;
    places.add(place);
    const kind = tokens[place]?.kind;
    if (kind === 'name' || kind === 'rest') open.push(place + 1);
    if (kind === 'folders') open.push(place + 1, place + 2);
  }
  return places;
}
