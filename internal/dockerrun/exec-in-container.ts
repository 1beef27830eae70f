import type { Container } from 'dockerode';
import { FrameReader } from '../dockerstream/output-frames.ts';
import { dockerCall } from './docker-call.ts';

const DEADLINE_MS = 10_000;
/** /proc/net/tcp has 150 bytes a line: some 50,000 connections. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/**
 * Runs a command in a running container, as the image's user, and gives what it wrote to stdout (cut at 8 MB).
 * The command is an argument list; there may be no shell in the container.
 */
export async function execInContainer(container: Container, command: readonly string[]): Promise<string> {
  const exec = await dockerCall(
    'prepare a command in the container',
    container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true }),
  );
  const stream = await dockerCall(
    'run a command in the container',
    exec.start({ hijack: false, stdin: false }),
  );
  // The stream has no end of its own when the daemon dies or freezes.
  return dockerCall('finish a command in the container', readStdout(stream), DEADLINE_MS).finally(() =>
    stream.destroy(),
  );
}

async function readStdout(stream: AsyncIterable<unknown>): Promise<string> {
  const reader = new FrameReader();
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream of a command must give bytes');
    for (const { stream: name, data } of reader.push(chunk)) {
      if (name === 'stderr') continue;
      parts.push(data);
      length += data.length;
    }
    if (length > MAX_OUTPUT_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}
