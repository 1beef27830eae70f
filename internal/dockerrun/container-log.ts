import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { dockerCall, statusOf } from './docker-call.ts';

export interface LogQuery {
  readonly tail?: number;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly follow?: boolean;
}

/**
 * The log of a container, both streams, as a stream of bytes; null: the container is gone. Not by `Container.logs`, which
 * gives a log that is not followed as one piece of memory.
 */
export async function openLog(
  docker: Docker,
  containerId: string,
  query: LogQuery,
  signal: AbortSignal,
): Promise<Readable | null> {
  signal.throwIfAborted();
  const opening = new AbortController();
  const stop = () => opening.abort();
  signal.addEventListener('abort', stop);
  try {
    const answer = new Promise<unknown>((resolve, reject) => {
      const options = { stdout: true, stderr: true, ...query };
      docker.modem.dial(
        {
          path: `/containers/${containerId}/logs?`,
          method: 'GET',
          isStream: true,
          statusCodes: { 200: true, 404: 'no such container', 409: 'being removed', 500: 'server error' },
          options,
          abortSignal: opening.signal,
        },
        (error, log) => (error ? reject(error) : resolve(log)),
      );
    });
    const log = await dockerCall('hand out the log', answer);
    if (!(log instanceof Readable)) throw new TypeError('a log must come as a stream');
    return log;
  } catch (error) {
    opening.abort();
    // 409: it is being removed.
    if (statusOf(error) === 404 || statusOf(error) === 409) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** What a log gives, until it ends or the signal is aborted; closes it. */
export async function* chunksOf(log: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  // Not by the request's own signal: an abort just behind the end would be an error event that nobody hears.
  const stop = () => log.destroy();
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    for await (const chunk of log) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream of a log must give bytes');
      yield chunk;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    log.destroy();
  }
}
