import { request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request to 127.0.0.1 on a connection of its own. Names under `localhost` go into `host`: Node resolves none. */
export function httpRequest(options: {
  port: number;
  path: string;
  host?: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  timeoutMs?: number;
}): Promise<HttpAnswer> {
  const { port, path, host, method = 'GET', headers, body, timeoutMs = 30_000 } = options;
  return new Promise((answered, failed) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        timeout: timeoutMs,
        headers: { ...headers, ...(host === undefined ? {} : { host }) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', failed);
        response.on('end', () =>
          answered({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer from port ${port} in ${timeoutMs} ms`)));
    asked.on('error', failed);
    asked.end(body);
  });
}
