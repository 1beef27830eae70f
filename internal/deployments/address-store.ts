import type { Db, PrismaClient } from '../db/database.ts';
import { Prisma } from '../db/database.ts';
import { throughOutage } from '../db/through-outage.ts';
import { chooseSubnet, hostAddresses } from '../routing/subnets.ts';

/** How long an address rests after its container is gone: longer than any proxy remembers it. */
const REST_MINUTES = 10;

/** No free subnet or address is left. */
export class NetworkFull extends Error {
  override readonly name = 'NetworkFull';
}

/**
 * The project's subnet, chosen on first use so that it overlaps nothing on this host.
 * @param choice.readUsed gives those that are taken on this host; asked only when one is chosen
 * @throws NetworkFull when the pool has no free /24
 */
export async function projectSubnet(
  prisma: PrismaClient,
  projectId: string,
  choice: { pool: string; readUsed: () => Promise<readonly string[]> },
): Promise<string> {
  const where = { id: projectId };
  const known = await throughOutage(() => prisma.project.findUnique({ where, select: { subnet: true } }));
  if (known?.subnet) return known.subnet;
  const used = await choice.readUsed();
  return inTransaction(prisma, async (tx) => {
    // One chooser at a time: the lock is freed when the transaction ends.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('project_subnets'))`;
    const rows = await tx.project.findMany({
      where: { subnet: { not: null } },
      select: { id: true, subnet: true },
    });
    const own = rows.find((row) => row.id === projectId)?.subnet;
    if (own) return own;
    const taken = rows.flatMap((row) => row.subnet ?? []);
    const subnet = chooseSubnet(choice.pool, [...used, ...taken]);
    if (!subnet) throw new NetworkFull(`NETWORK_POOL ${choice.pool} has no free /24 left; set a larger one.`);
    await tx.project.update({ where, data: { subnet } });
    return subnet;
  });
}

/**
 * A fixed IPv4 for one container; asked again for the same name, the same address.
 * @throws NetworkFull when all of the subnet's addresses are in use or resting
 */
export async function reserveAddress(
  prisma: PrismaClient,
  of: { projectId: string; subnet: string; deploymentId: string; containerName: string },
): Promise<string> {
  return inTransaction(prisma, async (tx) => {
    await tx.$queryRaw`SELECT id FROM projects WHERE id = ${of.projectId} FOR UPDATE`;
    await tx.$executeRaw`
      DELETE FROM container_addresses
       WHERE project_id = ${of.projectId} AND released_at < now() - make_interval(mins => ${REST_MINUTES})`;
    const rows = await tx.containerAddress.findMany({ where: { projectId: of.projectId } });
    const own = rows.find((row) => row.containerName === of.containerName && row.releasedAt === null);
    if (own) return own.address;
    const taken = new Set(rows.map((row) => row.address));
    const address = hostAddresses(of.subnet).find((candidate) => !taken.has(candidate));
    if (!address)
      throw new NetworkFull(`The project's network ${of.subnet} has no free address; wait ten minutes.`);
    await tx.containerAddress.create({
      data: {
        projectId: of.projectId,
        address,
        deploymentId: of.deploymentId,
        containerName: of.containerName,
      },
    });
    return address;
  });
}

/** For a container that has its address although no row knows. Without its app there is no network to keep it in. */
export async function keepAddress(
  prisma: PrismaClient,
  of: { appId: string; containerName: string; address: string },
): Promise<void> {
  if (of.address === '') return;
  await prisma.$executeRaw`
    INSERT INTO container_addresses (project_id, address, container_name)
    SELECT project_id, ${of.address}, ${of.containerName} FROM services WHERE id = ${of.appId}
    ON CONFLICT (project_id, address) DO NOTHING`;
}

/** Addresses that are not resting, and for which deployment and container; null: its row is gone. */
export function reservedAddresses(
  prisma: PrismaClient,
): Promise<{ deploymentId: string | null; containerName: string }[]> {
  return prisma.containerAddress.findMany({
    where: { releasedAt: null },
    select: { deploymentId: true, containerName: true },
  });
}

/** The container is gone; its address rests, then may be given again. */
export async function releaseAddresses(
  prisma: PrismaClient,
  containerNames: readonly string[],
): Promise<void> {
  if (containerNames.length === 0) return;
  await throughOutage(
    () => prisma.$executeRaw`
      UPDATE container_addresses SET released_at = now()
       WHERE released_at IS NULL AND container_name IN (${Prisma.join([...containerNames])})`,
  );
}

/**
 * All addresses of a deployment rest but those of the named containers: also one that was reserved for a container that
 * was never made.
 */
export async function releaseAddressesOf(
  prisma: PrismaClient,
  deploymentId: string,
  exceptContainers: readonly string[],
): Promise<void> {
  await throughOutage(
    () => prisma.$executeRaw`
      UPDATE container_addresses SET released_at = now()
       WHERE released_at IS NULL AND deployment_id = ${deploymentId}
         AND container_name <> ALL(${[...exceptContainers]}::text[])`,
  );
}

/** All of this may be done twice, so what the database was away for is done again. */
function inTransaction<T>(prisma: PrismaClient, work: (tx: Db) => Promise<T>): Promise<T> {
  return throughOutage(() => prisma.$transaction(work));
}
