import type { Candidate, Job, Tools } from '../job.ts';
import { requireRunning } from './require-running.ts';

const LOOK_EVERY_MS = 200;

/**
 * Of a release that was taken over in the middle of its drain: what ended meanwhile is started once more, and awaited
 * before its predecessor goes. The machine may have ended it, and until the drain is over Docker starts it by no policy
 * (F13). If it was its own fault it falls again, and the drain sees that.
 * @throws DeploymentFailed when it does not stay up
 */
export async function reviveRelease(job: Job, tools: Tools, release: Candidate): Promise<void> {
  const states = await Promise.all(
    release.containers.map(({ containerId }) => tools.containers.state(containerId)),
  );
  const ended = release.containers.filter((_, index) => states[index]?.status === 'exited');
  if (ended.length === 0) return;
  job.say({ text: 'The release had ended with its machine; starting it again', level: 'warning' });
  for (const { containerId } of ended) await tools.repairs.startAgain(containerId);

  const began = tools.clock.now();
  const timeoutMs = tools.settings.gateTimeoutSeconds * 1000;
  while (tools.clock.now() - began < timeoutMs) {
    const seen = await Promise.all(
      ended.map((container) =>
        requireRunning(job, tools, container, 'while the previous release was draining'),
      ),
    );
    if (seen.every(({ health }) => health === 'healthy')) return;
    await tools.clock.sleep(LOOK_EVERY_MS, job.signal);
  }
}
