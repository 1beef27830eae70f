import { join } from 'node:path';
import { DockerImageBuilder } from '../../../internal/dockerbuild/image-builder.ts';
import { cleanUp } from '../../../internal/engine/clean-up/clean-up.ts';
import { imagesNeeded } from '../../../internal/engine/clean-up/clean-up-store.ts';
import { Mirrors } from '../../../internal/gitrepo/mirrors.ts';
import { createLogger } from '../../../internal/logger/logger.ts';
import { ROOMY_DISK, TEST_LIMITS } from '../build-limits.ts';
import { foldersIn, gitProcessesIn, heldMirrors } from '../left-on-disk.ts';
import type { SoakScene } from './invariants.ts';

/** Images of the last hour are left alone: a build may be about to record its own. */
const LATER_MS = 2 * 60 * 60 * 1000;

/** Labels of a container whose values name its gate folder. */
const GATE_OF = ['berth.deployment', 'berth.attempt', 'berth.replica'];

/** I5: what is in Docker and on the disk is what the rows explain. */
export async function checkLeftovers(scene: SoakScene): Promise<string[]> {
  const { platform, daemon, foreign } = scene;
  const rows = await platform.prisma.app.findMany({ select: { liveDeploymentId: true } });
  const live = new Set(rows.flatMap(({ liveDeploymentId }) => liveDeploymentId ?? []));
  const all = await daemon.docker.listContainers({ all: true });
  const containers = all.filter(
    ({ Id, Labels }) => Id !== foreign.containerId && !live.has(Labels['berth.deployment'] ?? ''),
  );
  const projects = await platform.prisma.project.findMany({ select: { networkName: true } });
  const known = new Set(projects.map(({ networkName }) => networkName));
  const networks = (await platform.docker.networks()).filter((name) => !known.has(name));
  const mounted = new Set(all.map(({ Labels }) => GATE_OF.map((name) => Labels[name]).join('-')));
  const idleGates = foldersIn(join(platform.dataDir, 'gate')).filter((name) => !mounted.has(name));
  const named = all.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, '')));
  const idleAddresses = await platform.prisma.containerAddress.findMany({
    where: { releasedAt: null, containerName: { notIn: named } },
  });
  return [
    ...containers.map(({ Names, State, Command }) => `container ${Names.join(' ')} (${State}, ${Command})`),
    ...networks.map((name) => `network ${name}`),
    ...foldersIn(join(platform.dataDir, 'work')).map((name) => `clone folder ${name}`),
    ...heldMirrors(platform.dataDir),
    ...idleGates.map((name) => `gate folder ${name}`),
    ...idleAddresses.map(({ containerName }) => `address of the container ${containerName}`),
    ...gitProcessesIn(platform.dataDir).map((what) => `git process ${what}`),
    ...(await imagesBeyondRetention(scene)),
  ];
}

/** The product's own clean-up, as it will be in two hours: then each image is of a release that is kept. */
async function imagesBeyondRetention({ platform, daemon, apps }: SoakScene): Promise<string[]> {
  const logger = createLogger({ level: 'silent', process: 'worker' });
  const { prisma, instance: instanceId } = platform;
  const images = new DockerImageBuilder({
    docker: daemon.docker,
    instanceId,
    limits: TEST_LIMITS,
    disk: ROOMY_DISK,
    logger,
  });
  const mirrors = new Mirrors(join(platform.dataDir, 'mirrors'));
  await cleanUp(
    {
      prisma,
      images,
      mirrors,
      logger,
      settings: { buildCacheMaxMb: 5_120, buildKitCacheMb: 2_048, mirrorsMaxMb: 5_120 },
    },
    { now: Date.now() + LATER_MS },
  );
  const needed = await imagesNeeded(
    prisma,
    apps.map(({ app }) => app.id),
  );
  const wanted = new Set([...needed.values()].flatMap((ids) => [...ids]));
  const there = new Set((await platform.docker.images()).map(({ id }) => id));
  return [
    ...[...there].filter((id) => !wanted.has(id)).map((id) => `image ${id}`),
    ...[...wanted].filter((id) => !there.has(id)).map((id) => `image ${id} is needed, and gone`),
  ];
}
