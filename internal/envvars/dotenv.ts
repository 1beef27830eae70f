import { problemOfKey, problemOfValue } from './env-var.ts';

/**
 * The grammar of `.env` files, read and written. By hand, because no library gives back every value it is given: npm's
 * dotenv cannot say one with all three kinds of quotes, nor a `\n` of two characters, and has no printer; Node's
 * parseEnv knows no escapes at all.
 *
 * Read is what such files hold in practice: `KEY=value`, `export `, comments, CRLF and BOM; 'literal', `literal` and
 * "with \n \r \t \\ \" \$ \`", each over several lines. Nothing is interpolated: `$HOME` is these five characters.
 * Written is what a POSIX shell reads the same, but for a carriage return, which only `\r` can keep.
 */

export interface DotenvVariable {
  readonly key: string;
  readonly value: string;
}

/** What cannot be read, and where. Holds nothing of the text, which is secret. */
export class DotenvProblem extends Error {
  override readonly name = 'DotenvProblem';
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.line = line;
  }
}

const NOTHING = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const KEY_AND_EQUALS = /[ \t]*(?:export[ \t]+)?([^\s=#'"`]+)[ \t]*=/y;
const UNQUOTED = /[^\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
const ESCAPED_AS_ITSELF = '\\"$`';

/** In the order of the text; a key may come twice. @throws DotenvProblem */
export function parseDotenv(text: string): DotenvVariable[] {
  const reader = new Reader(text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n'));
  const variables: DotenvVariable[] = [];
  while (!reader.isAtEnd) {
    if (reader.take(NOTHING) !== null) continue;
    variables.push(readVariable(reader));
  }
  return variables;
}

/** One line each (or several, where the value has), in the given order. */
export function printDotenv(variables: readonly DotenvVariable[]): string {
  return variables.map(({ key, value }) => `${key}=${quoted(value)}\n`).join('');
}

function readVariable(reader: Reader): DotenvVariable {
  const { line } = reader;
  const [, key = ''] = reader.take(KEY_AND_EQUALS) ?? reader.fail('is not KEY=value');
  const value = readValue(reader);
  const problem = prefixed('the key', problemOfKey(key)) ?? prefixed('the value', problemOfValue(value));
  if (problem !== null) throw new DotenvProblem(line, problem);
  return { key, value };
}

function readValue(reader: Reader): string {
  const from = reader.at;
  reader.take(/[ \t]*/y);
  const quote = reader.next;
  if (quote !== "'" && quote !== '"' && quote !== '`') {
    reader.at = from;
    const [rest = ''] = reader.take(UNQUOTED) ?? [];
    reader.take(NOTHING);
    return rest.replace(/[ \t]#.*$/, '').replace(/^[ \t]+|[ \t\r]+$/g, '');
  }
  const value = quote === '"' ? readEscaped(reader) : readLiteral(reader, quote);
  if (reader.take(NOTHING) === null) reader.fail('goes on after the closing quote');
  return value;
}

function readLiteral(reader: Reader, quote: string): string {
  const end = reader.text.indexOf(quote, reader.at + 1);
  if (end === -1) reader.fail(`begins a quote ${quote} that is never closed`);
  const value = reader.text.slice(reader.at + 1, end);
  reader.at = end + 1;
  return value;
}

function readEscaped(reader: Reader): string {
  const { text } = reader;
  let value = '';
  for (let at = reader.at + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') {
      reader.at = at + 1;
      return value;
    }
    const escaped = character === '\\' ? unescaped(text.charAt(at + 1)) : null;
    value += escaped ?? character;
    if (escaped !== null) at += 1;
  }
  return reader.fail('begins a quote " that is never closed');
}

/** Null: a backslash before that character is only a backslash. */
function unescaped(character: string): string | null {
  return ESCAPED_AS_ITSELF.includes(character) && character !== '' ? character : (ESCAPES[character] ?? null);
}

function quoted(value: string): string {
  if (/^[\w./:@%+,=-]*$/.test(value)) return value;
  // Some readers take a backslash before the closing quote for an escape.
  if (!/['\r]|\\$/.test(value)) return `'${value}'`;
  return `"${value.replace(/[\\"$`]/g, '\\$&').replaceAll('\r', '\\r')}"`;
}

function prefixed(what: string, problem: string | null): string | null {
  return problem === null ? null : `${what} ${problem}`;
}

/** A place in a text that moves on. */
class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  get next(): string {
    return this.text.charAt(this.at);
  }

  /** 1-based. */
  get line(): number {
    return this.text.slice(0, this.at).split('\n').length;
  }

  /** What the pattern (sticky) finds here, behind which it goes on; null: nothing. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }

  fail(problem: string): never {
    throw new DotenvProblem(this.line, problem);
  }
}
