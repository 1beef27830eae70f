/**
 * Usage: npm run clean-up -- [--dry-run]
 * Removes now what a worker would remove at its next pass: images that no release needs, build cache beyond its bound,
 * and mirrors of repositories that no app uses or beyond theirs. With --dry-run it only tells.
 */
import type { Config } from '../../internal/config/config.ts';
import { InvalidConfig, loadConfig } from '../../internal/config/load-config.ts';
import { openDatabase } from '../../internal/db/database.ts';
import { ensureInstance } from '../../internal/db/instance.ts';
import { platformLimits } from '../../internal/dockerbuild/build-options.ts';
import { DockerImageBuilder } from '../../internal/dockerbuild/image-builder.ts';
import { dockerClient } from '../../internal/dockerrun/docker-client.ts';
import { DockerDisk } from '../../internal/dockerrun/docker-disk.ts';
import { cleanUp, type Removal } from '../../internal/engine/clean-up/clean-up.ts';
import { Mirrors } from '../../internal/gitrepo/mirrors.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { completeEnvironment } from '../rotate-key/complete-environment.ts';

const WORDS: Readonly<Record<Removal['kind'], string>> = {
  images: 'old images',
  build_cache: 'layers of build cache',
  buildkit_caches: 'caches of BuildKit',
  mirrors: 'mirrors of repositories',
};

async function main(config: Config, dryRun: boolean): Promise<void> {
  const logger = createLogger({ level: 'warn', process: 'up' });
  const database = openDatabase(config.databaseUrl, logger);
  try {
    const instanceId = await ensureInstance(database.prisma, config.dataDir);
    const docker = dockerClient(config.dockerHost);
    const images = new DockerImageBuilder({
      docker,
      instanceId,
      limits: platformLimits(config),
      disk: new DockerDisk(docker),
      logger,
    });
    const mirrors = new Mirrors(config.mirrorDir);
    const tools = { prisma: database.prisma, images, mirrors, logger, settings: config };
    for (const removal of await cleanUp(tools, { dryRun })) print(removal, dryRun);
  } finally {
    await database.close();
  }
}

function print({ kind, count, bytes, removed }: Removal, dryRun: boolean): void {
  const verb = dryRun ? 'Would remove' : 'Removed';
  process.stdout.write(`${verb} ${count} ${WORDS[kind]}, ${(bytes / 1024 / 1024).toFixed(1)} MB\n`);
  for (const { id, app } of removed) process.stdout.write(`  ${id}${app === null ? '' : ` of app ${app}`}\n`);
}

const [argument, ...more] = process.argv.slice(2);
if (more.length > 0 || (argument !== undefined && argument !== '--dry-run')) {
  process.stderr.write('usage: npm run clean-up -- [--dry-run]\n');
  process.exitCode = 64;
} else {
  try {
    await main(loadConfig(await completeEnvironment()), argument === '--dry-run');
  } catch (error) {
    if (!(error instanceof InvalidConfig || error instanceof CannotStart)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 78;
  }
}
