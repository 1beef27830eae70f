/** The longest colour sequence, so that a cut never leaves half of one. */
const LONGEST_ESCAPE = 24;

/** Cuts a line into pieces of at most `maxBytes` of UTF-8 (≥ 64), never inside a character or a colour sequence (T68). */
export function splitLine(text: string, maxBytes: number): string[] {
  // A UTF-16 unit is at most three bytes: most lines need no counting.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return [text];
  const bytes = Buffer.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = cutBefore(bytes, start, start + maxBytes);
    pieces.push(bytes.toString('utf8', start, end));
    start = end;
  }
  return pieces;
}

function cutBefore(bytes: Buffer, start: number, limit: number): number {
  if (limit >= bytes.length) return bytes.length;
  let end = limit;
  while (isContinuation(bytes[end])) end -= 1;
  const tail = bytes.toString('latin1', Math.max(start + 1, end - LONGEST_ESCAPE), end);
  const lastEscape = tail.lastIndexOf('\u001b');
  return lastEscape === -1 || tail.includes('m', lastEscape) ? end : end - (tail.length - lastEscape);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
