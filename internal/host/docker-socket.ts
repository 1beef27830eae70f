import { request } from 'node:http';
import type { EngineVersion } from './engine-support.ts';

/** No daemon behind the socket, or not for us. `cause` has the system's code. */
export class DockerUnreachable extends Error {
  override readonly name = 'DockerUnreachable';
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`Docker did not answer: ${code}`, { cause });
    this.code = code;
  }
}

/** The daemon answered with an error; the message is its own. */
export class DockerRefused extends Error {
  override readonly name = 'DockerRefused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Silence longer than this ends the call. */
  readonly idleMs?: number;
}

/** The few calls that starting needs, without the client library: it must work before anything is installed well. */
export class DockerSocket {
  readonly #path: string;

  /** `unix:///…` */
  constructor(dockerHost: string) {
    this.#path = dockerHost.replace(/^unix:\/\//, '');
  }

  get path(): string {
    return this.#path;
  }

  /** The versions of engine and API. @throws DockerUnreachable */
  async version(): Promise<EngineVersion> {
    const answer = await this.json<{
      Version: string;
      ApiVersion: string;
      Components?: readonly { Name: string; Version: string }[];
    }>({
      method: 'GET',
      path: '/version',
      idleMs: 5_000,
    });
    const runc = answer.Components?.find(({ Name }) => Name === 'runc')?.Version;
    return { version: answer.Version, apiVersion: answer.ApiVersion, runc };
  }

  async hasImage(image: string): Promise<boolean> {
    try {
      await this.json({ method: 'GET', path: `/images/${encodeURIComponent(image)}/json` });
      return true;
    } catch (error) {
      if (error instanceof DockerRefused && error.status === 404) return false;
      throw error;
    }
  }

  /** True when the image is there afterwards; false when this machine cannot pull it. */
  async pull(image: string): Promise<boolean> {
    if (await this.hasImage(image)) return true;
    try {
      // Failures after the first byte arrive inside the stream, so the proof is the image itself.
      await this.text({
        method: 'POST',
        path: `/images/create?fromImage=${encodeURIComponent(image)}`,
        idleMs: 30_000,
      });
    } catch {
      return false;
    }
    return this.hasImage(image);
  }

  async json<T>(call: Call): Promise<T> {
    return JSON.parse((await this.text(call)) || 'null') as T;
  }

  /** @throws DockerUnreachable, DockerRefused */
  text(call: Call): Promise<string> {
    return new Promise((resolve, reject) => {
      const body = call.body === undefined ? undefined : JSON.stringify(call.body);
      const outgoing = request(
        {
          socketPath: this.#path,
          path: call.path,
          method: call.method,
          headers: body === undefined ? {} : { 'content-type': 'application/json' },
          agent: false,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('error', (error) => reject(new DockerUnreachable('aborted', error)));
          answer.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const status = answer.statusCode ?? 0;
            if (status < 400) resolve(text);
            else reject(new DockerRefused(status, messageIn(text)));
          });
        },
      );
      outgoing.setTimeout(call.idleMs ?? 30_000, () => outgoing.destroy(new Error('silent for too long')));
      outgoing.once('error', (error: NodeJS.ErrnoException) =>
        reject(new DockerUnreachable(error.code ?? error.message, error)),
      );
      outgoing.end(body);
    });
  }
}

function messageIn(text: string): string {
  try {
    const answer: { message?: string } = JSON.parse(text);
    return answer.message ?? text;
  } catch {
    return text;
  }
}
