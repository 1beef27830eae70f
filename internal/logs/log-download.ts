import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PrismaClient } from '../db/database.ts';
import type { Logger } from '../logger/logger.ts';
import { type LogLine, nextLines } from './log-reads.ts';
import type { StreamLimits } from './log-stream.ts';

/** Times and texts, one line each, up to what is stored now; sent page by page, no faster than it is taken. */
export async function sendDownload(
  response: ServerResponse,
  log: { readonly streamId: string; readonly fileName: string },
  tools: { prisma: PrismaClient; logger: Logger; limits: Pick<StreamLimits, 'stallMs'> },
): Promise<void> {
  const { streamId, fileName } = log;
  const stream = await tools.prisma.logStream.findUnique({ where: { id: streamId } });
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `attachment; filename="${fileName}"`,
    'cache-control': 'no-store',
  });
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.setTimeout(tools.limits.stallMs, () => response.destroy());
  try {
    await pipeline(Readable.from(pages(tools.prisma, streamId, stream?.lastSeq ?? 0n)), response);
  } catch (error) {
    // The client sees an unfinished answer, which it is.
    tools.logger.debug({ err: error, streamId }, 'download of a log broken off');
  }
}

async function* pages(prisma: PrismaClient, streamId: string, lastSeq: bigint): AsyncGenerator<string> {
  let after = 0n;
  while (after < lastSeq) {
    const { lines } = await nextLines(prisma, { streamId, after });
    if (lines.length === 0) return;
    after = lines.at(-1)?.seq ?? lastSeq;
    yield lines
      .filter((line) => line.seq <= lastSeq && line.source !== 'status')
      .map(lineOfText)
      .join('');
  }
}

/** `2026-11-21T06:30:54.591Z q6wlnf4j3e.1 text` in the log of an app, without the release in that of a deployment. */
function lineOfText({ at, deploymentId, replica, text }: LogLine): string {
  const origin = deploymentId === null ? '' : ` ${deploymentId}${replica === null ? '' : `.${replica}`}`;
  return `${at.toISOString()}${origin} ${text}\n`;
}
