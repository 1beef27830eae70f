import { type ClientRequest, request } from 'node:http';

/** A line as the reader got it. */
export interface ReadLine {
  readonly receivedAt: number;
  readonly text: string;
  /** The time of the line itself, as the API tells it. */
  readonly at: number;
}

/** Follows a log over server-sent events and notes when each line came. */
export class LiveReader {
  readonly lines: ReadLine[] = [];
  hasEnded = false;
  readonly #request: ClientRequest;

  constructor(of: { port: number; path: string; token: string }) {
    const headers = { authorization: `Bearer ${of.token}` };
    let rest = '';
    this.#request = request(
      { host: '127.0.0.1', port: of.port, path: of.path, headers, agent: false },
      (answer) => {
        answer.setEncoding('utf8');
        answer.on('data', (text: string) => {
          const receivedAt = Date.now();
          const frames = (rest + text).split('\n\n');
          rest = frames.pop() ?? '';
          for (const frame of frames) this.#take(frame, receivedAt);
        });
        answer.on('error', () => undefined);
      },
    );
    this.#request.on('error', () => undefined);
    this.#request.end();
  }

  close(): void {
    this.#request.destroy();
  }

  #take(frame: string, receivedAt: number): void {
    if (frame.includes('event: end\n')) this.hasEnded = true;
    const data = /^event: line\ndata: (.*)$/m.exec(frame)?.[1];
    if (data === undefined) return;
    const { text, at } = JSON.parse(data) as { text: string; at: string };
    this.lines.push({ receivedAt, text, at: Date.parse(at) });
  }
}
