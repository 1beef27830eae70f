import { finishLive, readClaimed, returnToPrevious } from '../../deployments/deployment-store.ts';
import { DeploymentFailed, FAILURES } from '../../errors/deployment-failed.ts';
import { endContainers } from '../end-containers.ts';
import { explainExit } from '../explain-unready.ts';
import { attemptRef, type Candidate, type Job, type Tools } from '../job.ts';
import { whichToRetire } from '../which-to-retire.ts';
import { drain } from './drain.ts';
import { requireRunning } from './require-running.ts';
import { reviveRelease } from './revive-release.ts';
import { undoCandidate } from './undo-candidate.ts';

/**
 * Lets the previous release finish its answers, then ends it. While it drains it is the safety net: if the new one
 * dies, Traefik falls back to it by itself, and it is live again.
 */
export async function retirePrevious(job: Job, tools: Tools, release: Candidate): Promise<void> {
  await tools.checkpoint('draining');
  const others = whichToRetire(await tools.containers.list({ appId: job.row.app.id }), {
    deploymentId: job.row.id,
    attempt: release.attempt,
  });
  try {
    if (job.claim.attempt !== release.attempt) {
      const hasPredecessor = others.some(({ deploymentId }) => deploymentId !== job.row.id);
      await reviveRelease(job, tools, { release, hasPredecessor });
    }
    if (others.length > 0) job.say({ text: 'Draining the previous release', level: 'deploy' });
    const watch = () => ensureAlive(job, tools, release);
    await drain(job, tools, { containers: others, watch });
    await watch();
  } catch (error) {
    // What the platform lacks for a moment, such as an answer of Docker, says nothing of the release.
    if (!(error instanceof DeploymentFailed) || FAILURES[error.code].cause === 'platform') throw error;
    job.say({ text: `${error.message} The previous release serves again.`, level: 'error' });
    await job.flushLines();
    await returnToPrevious(tools.prisma, job.claim, error);
    await undoCandidate(job, tools, { candidate: release, because: error, gateOpened: true });
    return;
  }

  // What is beside the release may be its successor, where this worker has slept past its lease (F37).
  await readClaimed(tools.prisma, job.claim);
  const ref = attemptRef(job, release.attempt);
  for (const container of release.containers) await tools.gate.markRouted(ref, container.replica);
  await endContainers(tools, others, tools.settings.stopGraceSeconds);
  await tools.checkpoint('retired');
  for (const container of release.containers)
    await tools.containers.setRestartPolicy(container.containerId, 'always');
  await job.flushLines();
  await finishLive(tools.prisma, job.claim);
}

const DRAINING = 'while the previous release was draining';

/** @throws DeploymentFailed when a container of the release has ended or is gone */
async function ensureAlive(job: Job, tools: Tools, release: Candidate): Promise<void> {
  if (release.containers.length < job.config.replicas) {
    throw explainExit({ state: null, evidence: {}, memoryMb: job.config.memoryMb, when: DRAINING });
  }
  for (const container of release.containers) await requireRunning(job, tools, container, DRAINING);
}
