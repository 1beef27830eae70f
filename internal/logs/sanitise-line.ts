// oxlint-disable no-control-regex -- control characters are what this file is about

/**
 * What a program prints, made safe to show in a terminal (`curl -N`) or a page: colours stay, everything else that
 * would act instead of being read goes. Markup stays, as text: showing it as text is the viewer's part (T66).
 * Of a line that was drawn over with carriage returns the last state stays, as a terminal would have shown it.
 */
export function sanitiseLine(text: string): string {
  if (!NEEDS_WORK.test(text)) return text;
  return lastState(text.replace(ESCAPE_SEQUENCE, keepColours))
    .replace(CONTROLS, (found) => (found === ESCAPE ? found : ''))
    .replace(LONE_SURROGATE, '\u{fffd}');
}

const ESCAPE = '\u001b';
const NEEDS_WORK = /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/u;

/** Escape sequences of ECMA-48, as 7 and as 8 bits. No class holds its own introducer, so this stays linear. */
const ESCAPE_SEQUENCE = new RegExp(
  [
    // Control sequences: parameters, intermediates, final byte.
    String.raw`(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~])`,
    // Strings (title, clipboard, link) up to their end; an unended one loses only its start, or it would hide the line.
    String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c))?`,
    // Two or three bytes, such as reset; and a stray ESC.
    String.raw`\x1b[ -/]*[0-~]`,
    String.raw`\x1b`,
  ].join('|'),
  'g',
);

/** Of control sequences only SGR ("m") stays, and of that only what colours: 8 (concealed) or 5 (blinking) do not. */
function keepColours(_found: string, parameters?: string, intermediates?: string, final?: string): string {
  if (final !== 'm' || intermediates !== '' || !/^[\d;:]*$/.test(parameters ?? '')) return '';
  if (!parameters) return `${ESCAPE}[0m`;
  const colours = parameters.replace(/:+/g, ';').match(COLOUR);
  return colours === null ? '' : `${ESCAPE}[${colours.join(';')}m`;
}
const COLOUR =
  /(?<![^;])(?:[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3}|0?[0-4]|2[234]|[34][0-79]|9[0-7]|10[0-7])(?![^;])/g;

function lastState(text: string): string {
  if (!text.includes('\r')) return text;
  return (
    text.split('\r').findLast((state) => state.replace(/\x1b\[[\d;]*m/g, '').replace(CONTROLS, '')) ?? ''
  );
}

/** C0 but TAB, DEL, C1, and the bidirectional controls. */
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
