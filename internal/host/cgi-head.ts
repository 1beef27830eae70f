import type { Readable } from 'node:stream';

export interface CgiHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The part of the body that came with the head. */
  readonly rest: Buffer;
}

const MAX_HEAD_BYTES = 64 * 1024;

/** Reads the header lines of a CGI answer (RFC 3875, 6.2) and leaves the stream paused at the body. */
export async function readCgiHead(stream: Readable): Promise<CgiHead> {
  let received = Buffer.alloc(0);
  for (;;) {
    const end = /\r?\n\r?\n/.exec(received.toString('latin1'));
    if (end) {
      return {
        ...parseCgiHead(received.toString('latin1', 0, end.index)),
        rest: received.subarray(end.index + end[0].length),
      };
    }
    if (received.length > MAX_HEAD_BYTES) throw new Error('the CGI answer has no end of its head');
    received = Buffer.concat([received, await nextChunk(stream)]);
  }
}

/** Header lines → status (200 unless a `Status:` line says otherwise) and headers. */
export function parseCgiHead(text: string): { status: number; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}

async function nextChunk(stream: Readable): Promise<Buffer> {
  for (;;) {
    const chunk: unknown = stream.read();
    if (chunk instanceof Buffer) return chunk;
    if (stream.readableEnded || stream.destroyed) throw new Error('the CGI program ended without an answer');
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        stream
          .off('readable', onReadable)
          .off('end', onReadable)
          .off('close', onReadable)
          .off('error', settle);
        if (error) reject(error);
        else resolve();
      };
      const onReadable = () => settle();
      stream
        .once('readable', onReadable)
        .once('end', onReadable)
        .once('close', onReadable)
        .once('error', settle);
    });
  }
}
