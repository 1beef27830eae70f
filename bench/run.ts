/**
 * Usage: npm run bench [-- a1 overhead long-build same-commit context memory pickup logs list restarts clone soak hostile-builds]      (none named: all)
 * Measures the built product and appends to bench/RESULTS.md. Takes minutes; needs root for the memory figures.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { loadStartSettings } from '../internal/config/start-settings.ts';
import { openDatabase } from '../internal/db/database.ts';
import { startEmbeddedPostgres } from '../internal/db/embedded-postgres.ts';
import { migrate } from '../internal/db/migrate.ts';
import { createLogger } from '../internal/logger/logger.ts';
import { findTraefikBinary } from '../scripts/find-traefik-binary.ts';
import { ensureNodeImage } from '../test/support/base-image.ts';
import { startPlatform } from '../test/support/platform.ts';
import type { Bench, BenchTools } from './bench.ts';
import { cloneTwice } from './clone.ts';
import { contextMemory } from './context-memory.ts';
import { deployOverhead } from './deploy-overhead.ts';
import { hostileBuilds } from './hostile-builds.ts';
import { idleMemory } from './idle-memory.ts';
import { benchListApps } from './list-apps.ts';
import { logIngestion } from './log-ingestion.ts';
import { longBuild } from './long-build.ts';
import { pickupTime } from './pickup-time.ts';
import { redeploysUnderLoad } from './redeploys-under-load.ts';
import { restarts } from './restarts.ts';
import { appendResult, asMarkdown, describeRun } from './results-file.ts';
import { sameCommit } from './same-commit.ts';
import { soak } from './soak.ts';

const BENCHES: readonly Bench[] = [
  redeploysUnderLoad,
  deployOverhead,
  longBuild,
  sameCommit,
  contextMemory,
  idleMemory,
  pickupTime,
  logIngestion,
  benchListApps,
  restarts,
  cloneTwice,
  soak,
  hostileBuilds,
];

const say = (text: string) => console.log(text);

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `There is no ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}.`,
    );
  }
  const chosen = BENCHES.filter(({ name }) => names.length === 0 || names.includes(name));
  const folder = mkdtempSync('/tmp/berth-bench-');
  // Postgres runs as another user where we are root.
  chmodSync(folder, 0o755);
  process.env['BERTH_TEST_TRAEFIK'] ??= await findTraefikBinary(loadStartSettings(), folder, say);
  const { Version } = await new Dockerode().version();
  const nodeImage = await ensureNodeImage();
  let failed = 0;
  for (const bench of chosen) {
    say(`── ${bench.title}`);
    const result = await withFreshPostgres(join(folder, bench.name), (tools) =>
      bench.run({ ...tools, nodeImage, say }),
    );
    const text = asMarkdown(bench, result, describeRun(Version));
    say(text);
    appendResult(text);
    if (result.goal?.reached === false) failed += 1;
  }
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = failed === 0 ? 0 : 1;
}

/** A server as `bin/up` starts it, durable; each platform on it begins with an empty database. */
async function withFreshPostgres<T>(
  dataDir: string,
  work: (
    tools: Pick<BenchTools, 'startPlatform' | 'postgresPid' | 'restartPostgres' | 'folder'>,
  ) => Promise<T>,
): Promise<T> {
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  const postgres = await startEmbeddedPostgres({ dataDir });
  const logger = createLogger({ level: 'silent', process: 'up' });
  try {
    return await work({
      folder: dataDir,
      startPlatform: async (settings = {}, { node, traefik, docker } = {}) => {
        const database = openDatabase(postgres.url, logger, { maxConnections: 2 });
        await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
        await migrate(database.pool);
        return startPlatform({
          built: true,
          ...(node === undefined ? {} : { node }),
          ...(traefik === undefined ? {} : { traefik }),
          ...(docker === undefined ? {} : { docker }),
          database: { url: postgres.url, database, close: () => database.close() },
          settings: { POLL_INTERVAL_MS: '2000', LOG_LEVEL: 'info', NODE_ENV: 'production', ...settings },
        });
      },
      restartPostgres: async () => {
        await postgres.stop();
        await startEmbeddedPostgres({ dataDir });
      },
      postgresPid: () =>
        Number(readFileSync(join(dataDir, 'postgres/cluster/data/postmaster.pid'), 'utf8').split('\n')[0]),
    });
  } finally {
    await postgres.stop();
  }
}

await main(process.argv.slice(2));
