import type { Secret } from '../secrets/secret.ts';
import { LiteralSearch, MIN_LITERAL } from './literal-search.ts';
import { sanitiseLine } from './sanitise-line.ts';

/** Shorter values are too common to be hidden: `true`, `3000`. */
const MIN_LENGTH = MIN_LITERAL;
const MASK = '***';
/** GNU base64 breaks its output here. */
const BASE64_COLUMNS = 76;

/**
 * Hides known secrets in lines: as they are, in base64 (also inside a longer one, such as `user:token`), URL-encoded,
 * JSON-escaped and in hex (T24). It cannot know other disguises: reversed text, a character per line, a cipher.
 */
export class SecretMask {
  readonly #forms = new LiteralSearch();

  constructor(secrets: readonly Secret[] = []) {
    this.add(secrets);
  }

  add(secrets: readonly Secret[]): void {
    for (const secret of secrets) {
      for (const form of formsOf(secret.reveal())) this.#forms.add(form);
    }
  }

  /** A text made to be dear to look through is hidden as a whole. */
  apply(text: string): string {
    const ranges = this.#forms.rangesIn(text);
    if (ranges === null) return MASK;
    let masked = '';
    let end = 0;
    for (const range of ranges) {
      masked += text.slice(end, range.from) + MASK;
      end = range.to;
    }
    return end === 0 ? text : masked + text.slice(end);
  }
}

function formsOf(value: string): string[] {
  // A value of several lines (a PEM key) is printed as several lines.
  const plain = [value, ...value.split(/[\r\n]+/)].map((part) => part.trim());
  const forms = plain
    .filter((part) => part.length >= MIN_LENGTH)
    .flatMap((part) => [part, sanitiseLine(part), ...encodings(part)]);
  if (value.length >= MIN_LENGTH) forms.push(...encodings(value));
  return forms.filter((form) => form.length >= MIN_LENGTH);
}

function encodings(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  // encodeURIComponent refuses lone surrogates.
  const url = encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\u{fffd}'));
  const strictUrl = url.replace(/[!'()*]/g, percent);
  const urls = [url, strictUrl].flatMap((form) => [form, form.replaceAll('%20', '+')]);
  const hex = Buffer.from(value).toString('hex');
  return [
    json,
    json.replaceAll('/', '\\/'),
    json.replace(/[^\0-\x7f]/g, unicodeEscape),
    ...urls.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]),
    ...base64Forms(value),
    hex,
    hex.toUpperCase(),
  ];
}

function base64Forms(value: string): string[] {
  // With the line end that `echo` adds, without, and as it looks at each of the three places in a longer text.
  const wholes = [value, `${value}\n`].map((text) => Buffer.from(text).toString('base64'));
  const columns = wholes
    .filter((whole) => whole.length > BASE64_COLUMNS)
    .flatMap((whole) => whole.match(/.{1,76}/g) ?? []);
  const forms = [...wholes, ...columns, ...[0, 1, 2].map((offset) => base64Inside(value, offset))];
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')]);
}

/** The base64 digits that depend on the value alone when so many other bytes (modulo 3) stand before it. */
function base64Inside(value: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
