import { StringDecoder } from 'node:string_decoder';

const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;

/**
 * Reads the daemon's stream of JSON values, one a line. Characters cut between chunks are put together; a line that is
 * no JSON, or longer than 4 MB, is passed over, so that what is held stays bounded.
 */
export async function* readJsonLines(stream: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let skipping = false;
  for await (const chunk of stream) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk as Buffer))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (skipping) skipping = false;
      else yield* parse(line);
    }
    if (rest.length > MAX_LINE_CHARACTERS) {
      rest = '';
      skipping = true;
    }
  }
  if (!skipping) yield* parse(rest + decoder.end());
}

function* parse(line: string): Generator<unknown> {
  if (line.trim() === '') return;
  try {
    yield JSON.parse(line);
  } catch {
    // Nothing can be said about half a message; success is judged by the image, not by this stream.
  }
}
