import { request } from 'node:http';

export interface HttpQuestion {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  /** The Host header, where it is not the address: `*.localhost` is not resolved by every system. */
  readonly host?: string;
  readonly timeoutMs?: number;
}

/** One GET. Resolves with status and body, or null when nobody answers in time. */
export function askHttp(question: HttpQuestion): Promise<{ status: number; body: string } | null> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: question.address,
        port: question.port,
        path: question.path,
        headers: question.host === undefined ? {} : { host: question.host },
        agent: false,
        timeout: question.timeoutMs ?? 5_000,
      },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (text: string) => {
          body += text;
        });
        answer.once('error', () => resolve(null));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      },
    );
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => resolve(null));
    outgoing.end();
  });
}
