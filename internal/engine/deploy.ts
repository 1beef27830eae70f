import { CancelRequested } from '../deployments/deployment-store.ts';
import type { Candidate, Job, Tools } from './job.ts';
import { requireDiskSpace } from './require-disk-space.ts';
import { buildImage } from './steps/build-image.ts';
import { checkOutSource } from './steps/check-out-source.ts';
import { findBuiltImage } from './steps/find-built-image.ts';
import { findSameBuild } from './steps/find-same-build.ts';
import { pushImage } from './steps/push-image.ts';
import { resumeCandidate } from './steps/resume-candidate.ts';
import { retirePrevious } from './steps/retire-previous.ts';
import { runReleaseCommand } from './steps/run-release-command.ts';
import { startCandidate } from './steps/start-candidate.ts';
import { switchRoute } from './steps/switch-route.ts';
import { undoCandidate } from './steps/undo-candidate.ts';
import { waitUntilHealthy } from './steps/wait-until-healthy.ts';

/**
 * The whole story of one deployment, for a webhook, a button, the API and a redeploy alike. Gate, then switch, then
 * retire: until the switch the release that serves is not touched, and whatever fails is undone where it was made.
 * A deployment whose worker was lost past the switch goes forward from its candidate; an earlier one begins again.
 */
export async function deploy(job: Job, tools: Tools): Promise<void> {
  const candidate = (await resumeCandidate(job, tools)) ?? (await prepareCandidate(job, tools));
  await makeLive(job, tools, candidate);
  await retirePrevious(job, tools, candidate);
}

async function prepareCandidate(job: Job, tools: Tools): Promise<Candidate> {
  const image = (await findBuiltImage(job, tools)) ?? (await buildFromSource(job, tools));
  if (isNewCode(job)) {
    await pushImage(job, tools, image);
    await runReleaseCommand(job, tools, image);
  }
  const candidate = await startCandidate(job, tools, image);
  try {
    await waitUntilHealthy(job, tools, candidate);
  } catch (error) {
    await undoCandidate(job, tools, { candidate, because: error, gateOpened: false });
    throw error;
  }
  return candidate;
}

/** A release that takes the image of another was pushed and released once; a second attempt of a new one is released again. */
function isNewCode({ row }: Job): boolean {
  return row.imageFromId === null;
}

async function buildFromSource(job: Job, tools: Tools) {
  const built = await findSameBuild(job, tools, job.row.requestedSha ?? job.row.commitSha);
  if (built) return built;
  requireDiskSpace(await tools.disk.read(), tools.settings.diskFloorMb);
  try {
    const checkout = await checkOutSource(job, tools);
    return (await findSameBuild(job, tools, checkout.commitSha)) ?? (await buildImage(job, tools, checkout));
  } finally {
    await tools.source.remove(job.row.id, job.claim.attempt);
  }
}

async function makeLive(job: Job, tools: Tools, candidate: Candidate): Promise<void> {
  try {
    await switchRoute(job, tools, candidate);
  } catch (error) {
    // A cancellation is refused once the switch is committed, and the gate opens only then.
    const gateOpened = !(error instanceof CancelRequested);
    await undoCandidate(job, tools, { candidate, because: error, gateOpened });
    throw error;
  }
}
