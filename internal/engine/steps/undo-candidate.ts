import { LeaseLost, readClaimed } from '../../deployments/deployment-store.ts';
import { endContainers, NO_GRACE_SECONDS } from '../end-containers.ts';
import { isDatabaseAway } from '../explain-cause.ts';
import { attemptRef, type Candidate, type Job, routersOf, type Tools } from '../job.ts';
import { ShuttingDown } from '../job-ended.ts';
import { drain } from './drain.ts';

const LOOK_EVERY_MS = 200;
/** The check fails ten times, 0.3 s apart, before Docker says unhealthy. */
const ROUTE_GONE_TIMEOUT_MS = 20_000;

/**
 * Removes a candidate, unless the next holder of the lease decides about it. One that may have had requests is closed
 * first, and let finish them, before it is ended.
 * Does not throw: the error that led here is the one to tell; a failure to clean up is logged, and the reconciler
 * tries again.
 */
export async function undoCandidate(
  job: Job,
  tools: Tools,
  of: { candidate: Candidate; because: unknown; gateOpened: boolean },
): Promise<void> {
  const { candidate, because, gateOpened } = of;
  // Past the switch the candidate stays at shutdown, and where nobody knows whether it was recorded as live: whoever
  // takes over goes forward with it.
  if (gateOpened && (because instanceof ShuttingDown || isDatabaseAway(because))) return;
  try {
    if (gateOpened) {
      // One that has slept past its lease may think so, too, while another goes forward with the candidate (F37).
      await readClaimed(tools.prisma, job.claim);
      await closeGate(job, tools, candidate);
    }
    const grace = gateOpened ? tools.settings.stopGraceSeconds : NO_GRACE_SECONDS;
    await endContainers(tools, candidate.containers, grace);
  } catch (error) {
    if (error instanceof LeaseLost) return;
    tools.logger.error(
      { err: error, deploymentId: job.row.id },
      'candidate not removed; the reconciler will',
    );
  }
}

async function closeGate(job: Job, tools: Tools, candidate: Candidate): Promise<void> {
  const ref = attemptRef(job, candidate.attempt);
  for (const container of candidate.containers) await tools.gate.close(ref, container.replica);
  const began = tools.clock.now();
  while (tools.clock.now() - began < ROUTE_GONE_TIMEOUT_MS && (await mayBeRouted(job, tools))) {
    await tools.clock.sleep(LOOK_EVERY_MS);
  }
  // Not ended by the job's own signal: what was promised to callers is kept even when the deployment is given up.
  const patient = { signal: new AbortController().signal, config: job.config };
  await drain(patient, tools, { containers: candidate.containers });
}

async function mayBeRouted(job: Job, tools: Tools): Promise<boolean> {
  try {
    const routes = await Promise.all(routersOf(job).map((name) => tools.routes.read(name)));
    return routes.some((route) => route !== null && route.servers.length > 0);
  } catch (error) {
    // A proxy whose API does not answer may well send requests.
    tools.logger.debug({ err: error }, 'proxy did not answer');
    return true;
  }
}
