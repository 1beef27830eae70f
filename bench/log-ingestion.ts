import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type PrismaClient } from '../internal/db/database.ts';
import { startEmbeddedPostgres } from '../internal/db/embedded-postgres.ts';
import { newId } from '../internal/db/ids.ts';
import { migrate } from '../internal/db/migrate.ts';
import { createLogger } from '../internal/logger/logger.ts';
import { nextLines } from '../internal/logs/log-reads.ts';
import { LogWriter } from '../internal/logs/log-writer.ts';
import { Secret } from '../internal/secrets/secret.ts';

const LINES = 200_000;
/** A build with a busy environment: each value is looked for in some twenty forms. */
const SECRETS = Array.from({ length: 20 }, (_, index) => new Secret(`s3cret-value-${index}-of-the-app`));

export interface LogIngestion {
  readonly lines: number;
  /** From the first write() until all lines are committed; no back-pressure by the producer. */
  readonly storedPerSecond: number;
  /** Pages of a live reader, from the first line to the last. */
  readonly readPerSecond: number;
  /** The longest that anything else in this process had to wait. */
  readonly longestBlockMs: number;
  readonly rssGrowthMb: number;
}

/** One build that prints 200 000 lines: how fast they are stored and read, on a durable Postgres of its own. */
export async function measureLogIngestion(): Promise<LogIngestion> {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-bench-logs-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const database = openDatabase(postgres.url, createLogger({ level: 'warn', process: 'up' }));
  try {
    await migrate(database.pool);
    await store(database.prisma, newId(), 5_000);
    return await measure(database.prisma);
  } finally {
    await database.close();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(prisma: PrismaClient): Promise<LogIngestion> {
  const streamId = newId();
  const rssBefore = process.memoryUsage().rss;
  let rssPeak = rssBefore;
  let longestBlockMs = 0;
  let lastTick = performance.now();
  const ticks = setInterval(() => {
    longestBlockMs = Math.max(longestBlockMs, performance.now() - lastTick - 10);
    lastTick = performance.now();
    rssPeak = Math.max(rssPeak, process.memoryUsage().rss);
  }, 10);

  const began = performance.now();
  await store(prisma, streamId, LINES);
  const stored = performance.now();
  const read = await readAll(prisma, streamId);
  const ended = performance.now();
  clearInterval(ticks);

  if (read !== LINES) throw new Error(`${LINES} lines were written and ${read} read`);
  return {
    lines: LINES,
    storedPerSecond: Math.round(LINES / ((stored - began) / 1000)),
    readPerSecond: Math.round(LINES / ((ended - stored) / 1000)),
    longestBlockMs: Math.round(longestBlockMs),
    rssGrowthMb: Math.round((rssPeak - rssBefore) / 1024 / 1024),
  };
}

/** In bursts of 200, as a pipe delivers them. */
async function store(prisma: PrismaClient, streamId: string, lines: number): Promise<void> {
  const logger = createLogger({ level: 'warn', process: 'up' });
  const log = new LogWriter({ prisma, streamId, logger, secrets: SECRETS });
  for (let index = 0; index < lines; index += 1) {
    const text = `\x1b[32mnpm\x1b[0m http fetch GET 200 https://registry.example/package-${index} 12ms (cache miss)`;
    log.write({ source: 'build', level: 'info', stream: 'stdout', text });
    if (index % 200 === 199) await new Promise((turn) => setImmediate(turn));
  }
  await log.close();
}

async function readAll(prisma: PrismaClient, streamId: string): Promise<number> {
  let after = 0n;
  for (;;) {
    const page = await nextLines(prisma, { streamId, after });
    after = page.lines.at(-1)?.seq ?? after;
    if (!page.hasMore) return Number(after);
  }
}

if (import.meta.filename === process.argv[1]) {
  process.stdout.write(`${JSON.stringify(await measureLogIngestion(), null, 2)}\n`);
}
