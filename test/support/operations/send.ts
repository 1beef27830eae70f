import { request } from 'node:http';

export interface Sent {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request as it goes over the wire. Of a stream that does not end, its beginning is the answer. */
export function send({ port, method, path, body, ...sent }: Sent): Promise<Answered> {
  // Node leaves it out of a DELETE.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const headers = { ...sent.headers, ...length };
  return new Promise((answered, failed) => {
    let isAnswered = false;
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      isAnswered = true;
      let text = '';
      const done = () => answered({ status: response.statusCode ?? 0, headers: response.headers, text });
      const isStream = response.headers['content-type']?.startsWith('text/event-stream') ?? false;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        // The first frame is there, or the first event.
        if (isStream && text.includes('\n\n', text.indexOf('\n\n') + 2)) asked.destroy();
      });
      response.on('error', done);
      response.on('close', done);
    });
    asked.on('upgrade', ({ headers: given }, socket) => {
      socket.destroy();
      answered({ status: 101, headers: given, text: '' });
    });
    // An answer may come before all of a body was sent; then the rest meets a closed connection.
    asked.on('error', (error) => {
      if (!isAnswered) failed(error);
    });
    asked.end(body);
  });
}
