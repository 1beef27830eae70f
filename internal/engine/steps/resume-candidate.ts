import { releaseAddressesOf } from '../../deployments/address-store.ts';
import { isPastSwitch } from '../../deployments/deployment-status.ts';
import { readClaimed } from '../../deployments/deployment-store.ts';
import { endContainers, NO_GRACE_SECONDS } from '../end-containers.ts';
import type { Candidate, Job, Tools } from '../job.ts';
import { hasEnded } from './require-running.ts';

/**
 * What an earlier attempt left: past the switch its candidate, if all of it runs, to go forward with; everything else
 * of it is removed here, containers, addresses and clone folders alike. Null: begin from the start.
 */
export async function resumeCandidate(job: Job, tools: Tools): Promise<Candidate | null> {
  const left = await leftByOthers(job, tools);
  const candidate = await standingCandidate(job, tools, left);
  const rest = left.filter((container) => !candidate?.containers.includes(container));
  await endContainers(tools, rest, NO_GRACE_SECONDS);
  const standing = candidate?.containers.map((container) => container.containerName) ?? [];
  await releaseAddressesOf(tools.prisma, job.row.id, standing);
  if (candidate)
    job.say({ text: 'Taken over from a lost worker: going on from the switch', level: 'warning' });
  else if (job.claim.attempt > 1)
    job.say({ text: `Starting again: attempt ${job.claim.attempt}`, level: 'warning' });
  return candidate;
}

/** Containers of earlier attempts; what those had cloned is removed. @throws LeaseLost */
export async function leftByOthers(job: Job, tools: Tools) {
  // One that has slept past its lease since it took the deployment must not take its successor's things for these (F37).
  await readClaimed(tools.prisma, job.claim);
  await tools.source.remove(job.row.id);
  const found = await tools.containers.list({ deploymentId: job.row.id });
  return found.filter(({ attempt }) => attempt < job.claim.attempt);
}

async function standingCandidate(
  job: Job,
  tools: Tools,
  left: Awaited<ReturnType<Tools['containers']['list']>>,
): Promise<Candidate | null> {
  const { row } = job;
  if (!isPastSwitch(row.step) || row.candidateAttempt === null || row.port === null) return null;
  const containers = left.filter((container) => container.attempt === row.candidateAttempt);
  const candidate = { attempt: row.candidateAttempt, port: row.port, containers };
  // A live one is kept even when it has died: the drain judges it, and knows how to return to its predecessor.
  if (row.status === 'live') return candidate;
  if (containers.length < job.config.replicas) return null;
  for (const container of containers) {
    const state = await tools.containers.state(container.containerId);
    if (state === null || hasEnded(state)) return null;
  }
  return candidate;
}
