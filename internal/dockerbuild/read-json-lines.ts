import { LineSplitter } from './line-splitter.ts';

/**
 * Reads the daemon's stream of JSON values, one a line. Characters cut between chunks are put together; a line that is
 * no JSON, or longer than 4 MB, is passed over, so that what is held stays bounded.
 */
export async function* readJsonLines(stream: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const lines = new LineSplitter();
  for await (const chunk of stream) {
    for (const line of lines.push(chunk as Buffer | string)) yield* parse(line);
  }
  for (const line of lines.end()) yield* parse(line);
}

function* parse(line: string): Generator<unknown> {
  if (line.trim() === '') return;
  try {
    yield JSON.parse(line);
  } catch {
    // Nothing can be said about half a message; success is judged by the image, not by this stream.
  }
}
