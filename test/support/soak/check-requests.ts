import type { PrismaClient } from '../../../internal/db/database.ts';
import { isFinished } from '../../../internal/deployments/deployment-status.ts';
import type { SoakScene } from './invariants.ts';

/** I1: of what was answered with 2xx there is exactly one row each, and no row of anything else. */
export async function checkRequests({ platform, load }: SoakScene): Promise<string[]> {
  const { prisma } = platform;
  const asked = new Set(load.accepted.map(({ deploymentId }) => deploymentId));
  const manual = await prisma.deployment.findMany({ where: { trigger: 'manual' }, select: { id: true } });
  const there = new Set(manual.map(({ id }) => id));
  const lost = load.accepted.filter(({ deploymentId }) => !there.has(deploymentId));
  const doubled =
    asked.size === load.accepted.length ? [] : ['two keys were answered with the same deployment'];
  const unasked = [...there].filter((id) => !asked.has(id));
  return [
    ...load.problems,
    ...lost.map(
      ({ key, deploymentId }) => `the request ${key} was given ${deploymentId}, which is not there`,
    ),
    ...doubled,
    ...unasked.map((id) => `deployment ${id} was asked for by nobody`),
    ...(await checkDeliveries({ platform, load })),
  ];
}

/** A delivery has one row, one outcome, and one deployment exactly when it says so. */
async function checkDeliveries({ platform, load }: Pick<SoakScene, 'platform' | 'load'>): Promise<string[]> {
  const deliveries = await platform.prisma.webhookDelivery.findMany({ include: { outcomes: true } });
  const byId = new Map(deliveries.map((delivery) => [delivery.deliveryId, delivery.outcomes]));
  const problems = load.delivered.flatMap((id) => {
    const outcomes = byId.get(id);
    if (outcomes === undefined) return [`the delivery ${id} was taken and is not there`];
    return outcomes.length === 1 ? [] : [`the delivery ${id} has ${outcomes.length} outcomes`];
  });
  const deployed = deliveries.flatMap(({ outcomes }) =>
    outcomes.flatMap(({ deploymentId }) => deploymentId ?? []),
  );
  const pushes = await platform.prisma.deployment.count({ where: { trigger: 'push' } });
  if (new Set(deployed).size > pushes)
    problems.push(`${deployed.length} deliveries deployed, ${pushes} deployments came`);
  return problems;
}

/** I2: none is open, with or without a lease, and each that failed has a code and a reason. */
export async function checkEnds(prisma: PrismaClient): Promise<string[]> {
  const rows = await prisma.deployment.findMany({ omit: { configSnapshot: true } });
  return rows.flatMap((row) => {
    const { id, status, step, attempt, leaseOwner, leaseExpiresAt: expires } = row;
    const lease =
      leaseOwner === null ? 'nobody has it' : `${leaseOwner} has it until ${expires?.toISOString()}`;
    if (!isFinished(row)) return [`deployment ${id} is ${status} (${step}), attempt ${attempt}; ${lease}`];
    if (leaseOwner !== null) return [`deployment ${id} has ended (${status}), but ${lease}`];
    if (status !== 'live' && row.finishedAt === null) return [`deployment ${id} is ${status} since no time`];
    const isTold = row.failureCode !== null && row.failureReason !== null;
    return status === 'failed' && !isTold ? [`deployment ${id} failed without a reason`] : [];
  });
}
