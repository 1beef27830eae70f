/** Escape sequences of ECMA-48, as 7 and as 8 bits; one that is cut off counts too. */
const ESCAPES = new RegExp(
  [
    // Colours and cursor: ESC [ … letter.
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?`,
    // Title, clipboard and other strings: ESC ] … up to BEL or ESC \.
    String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?`,
    // Two or three bytes, such as reset: ESC c.
    String.raw`\x1b[ -/]*[0-~]?`,
  ].join('|'),
  'g',
);
/** What is left of C0 (but TAB and LF), C1, and the marks that turn the reading direction. */
const CONTROLS = /[^\P{Cc}\t\n]|\p{Bidi_Control}/gu;
const LONE_SURROGATES = /\p{Cs}/gu;

/**
 * Text of a stranger (a commit message, a remote's error) made safe to print in a terminal and to store: no escape
 * sequences, no controls but TAB and LF, no bidi marks, cut to `maxLength` characters. CVE-2024-52005 is why.
 */
export function plainText(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength * 4)
    .replace(/\r\n?/g, '\n')
    .replace(ESCAPES, '')
    .replace(CONTROLS, '')
    .slice(0, maxLength)
    .replace(LONE_SURROGATES, '')
    .trim();
}
