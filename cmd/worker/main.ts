import { getPriority, hostname, setPriority } from 'node:os';
import { systemClock } from '../../internal/clock/clock.ts';
import type { Config } from '../../internal/config/config.ts';
import { InvalidConfig, loadConfig } from '../../internal/config/load-config.ts';
import { openDatabase } from '../../internal/db/database.ts';
import { newId } from '../../internal/db/ids.ts';
import { enterInstallation, WrongKey } from '../../internal/db/key-canary.ts';
import { migrate } from '../../internal/db/migrate.ts';
import { Notifications } from '../../internal/db/notifications.ts';
import { readReleaseSecrets } from '../../internal/deployments/release-secrets.ts';
import { platformLimits } from '../../internal/dockerbuild/build-options.ts';
import { DockerRegistry } from '../../internal/dockerbuild/docker-registry.ts';
import { DockerImageBuilder } from '../../internal/dockerbuild/image-builder.ts';
import { limitedBuildKit } from '../../internal/dockerbuild/limited-buildkit.ts';
import { repositoryReader } from '../../internal/dockerbuild/read-repository.ts';
import { DockerContainerEvents } from '../../internal/dockerrun/container-events.ts';
import { DockerContainerRepairs } from '../../internal/dockerrun/container-repairs.ts';
import { DockerContainerRunner } from '../../internal/dockerrun/container-runner.ts';
import { dockerClient } from '../../internal/dockerrun/docker-client.ts';
import { DockerDisk } from '../../internal/dockerrun/docker-disk.ts';
import { GateFolders } from '../../internal/dockerrun/gate-files.ts';
import { installGateTool } from '../../internal/dockerrun/gate-tool.ts';
import { DockerRuntimeLogs } from '../../internal/dockerrun/runtime-logs.ts';
import type { Tools } from '../../internal/engine/job.ts';
import { runWorker } from '../../internal/engine/worker.ts';
import { createGithub } from '../../internal/github/github.ts';
import { GitCheckout } from '../../internal/gitrepo/checkout.ts';
import { Mirrors } from '../../internal/gitrepo/mirrors.ts';
import { NetworkProbe } from '../../internal/health/network-probe.ts';
import { TraefikRoutes } from '../../internal/health/traefik-routes.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { checkEngine, findEngineWarnings } from '../../internal/host/check-engine.ts';
import { DockerSocket } from '../../internal/host/docker-socket.ts';
import { sourceCredentials } from '../../internal/installations/clone-credential.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { SealedBox } from '../../internal/secrets/sealed-box.ts';
import { prepareProxy } from './prepare-proxy.ts';
import { reportToGithub } from './report-to-github.ts';

/** nice(2): where the processor is short, a third of the share that apps, Traefik and the API have. Git inherits it. */
const BEHIND_APPS = 5;

/** Settings → database → Docker and Git behind their ports → work until SIGTERM → close in reverse order. */
async function main(config: Config): Promise<void> {
  const logger = createLogger({ level: config.logLevel, process: 'worker' });
  setPriority(Math.max(getPriority(), BEHIND_APPS));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

  const daemon = new DockerSocket(config.dockerHost);
  await checkEngine(daemon, { clock: systemClock, logger, signal: stop.signal });
  if (stop.signal.aborted) return;
  const database = openDatabase(config.databaseUrl, logger);
  await migrate(database.pool);
  const { prisma } = database;
  const box = new SealedBox(config.encryptionKey, config.oldEncryptionKeys);
  const { instanceId, hasOldKey } = await enterInstallation(prisma, box, config.dataDir);
  if (hasOldKey) logger.warn('a change of keys is not done; run rotate-key');
  prepareProxy(config, instanceId);
  const docker = dockerClient(config.dockerHost);
  const { gateDir, gateTool } = config;
  await installGateTool({ gateDir, setting: gateTool, docker, instanceId, image: 'busybox:1.37-musl' });

  const github = createGithub(config.github);
  const disk = new DockerDisk(docker);
  const mirrors = new Mirrors(config.mirrorDir);
  const tools: Tools = {
    prisma,
    source: new GitCheckout({
      workDir: config.workDir,
      mirrors: config.mirrorsMaxMb === 0 ? null : mirrors,
      allowedHosts: config.gitAllowedHosts,
      privateHosts: config.gitPrivateHosts,
      timeoutSeconds: config.cloneTimeoutSeconds,
      maxMegabytes: config.cloneMaxMb,
      logger,
    }),
    mirrors,
    credentials: sourceCredentials({ prisma, box, github }),
    repository: repositoryReader,
    images: new DockerImageBuilder({
      docker,
      instanceId,
      limits: platformLimits(config),
      disk,
      registry: config.registry,
      buildKit: limitedBuildKit(config, { docker, instanceId, logger }),
      logger,
    }),
    registry: config.registry && new DockerRegistry({ docker, registry: config.registry, logger }),
    disk,
    containers: new DockerContainerRunner({ docker, instanceId, gateDir, logger }),
    repairs: new DockerContainerRepairs({ docker, instanceId }),
    containerEvents: new DockerContainerEvents({ docker, instanceId, logger }),
    runtimeLogs: new DockerRuntimeLogs({ docker, instanceId, logger }),
    releaseSecrets: (deploymentId) => readReleaseSecrets(prisma, box, deploymentId),
    gate: new GateFolders(gateDir),
    probe: new NetworkProbe(),
    routes: new TraefikRoutes(config.traefikApiUrl),
    clock: systemClock,
    logger,
    settings: config,
    checkpoint: async (point) => {
      if (point === config.faultAt) process.kill(process.pid, 'SIGKILL');
    },
  };

  const notifications = config.notify ? new Notifications(config.databaseUrl, logger) : null;
  await notifications?.start();
  const identity = { id: `${hostname()}-${process.pid}-${newId()}`, leaseSeconds: config.leaseSeconds };
  logger.info({ workerId: identity.id, instanceId }, 'worker started');
  const working = runWorker(tools, {
    identity,
    concurrency: config.workerConcurrency,
    pollIntervalMs: config.pollIntervalMs,
    box,
    notifications,
    findWarnings: () => findEngineWarnings(daemon),
    signal: stop.signal,
  });
  const { signal } = stop;
  const reporting = reportToGithub(
    { prisma, box, github, logger },
    { config, workerId: identity.id, signal },
  );
  await Promise.all([working, reporting]);
  await notifications?.close();
  await database.close();
  logger.info('worker stopped');
}

try {
  await main(loadConfig());
} catch (error) {
  const isTold = error instanceof InvalidConfig || error instanceof CannotStart || error instanceof WrongKey;
  if (!isTold) throw error;
  process.stderr.write(`${error.message}\n`);
  // Not left to an empty event loop: the database may be open still.
  process.exit(78);
}
