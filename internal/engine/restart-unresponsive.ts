import { tellOfRelease } from '../deployments/release-marker.ts';
import { markCrashed } from '../deployments/release-moves.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import type { Tools } from './job.ts';
import { addRestarts, isCrashLoop, pauseSeconds } from './judge-liveness.ts';
import { noteFailure, type ProbedReplica, replicaToRestart, type Unanswered } from './judge-unresponsive.ts';
import {
  askingForRestarts,
  type LiveRelease,
  readLiveReleases,
  recordHealth,
  shouldStillRun,
} from './live-release-store.ts';
import type { RunningContainer } from './ports.ts';

type ProbeTools = Pick<
  Tools,
  'prisma' | 'containers' | 'repairs' | 'probe' | 'clock' | 'logger' | 'settings'
> & { readonly box: SealedBox };

/** Of containers, by id, the probes that failed in a row. */
export class UnansweredProbes {
  readonly #failed = new Map<string, Unanswered>();

  note(
    containerId: string,
    answer: { ok: true } | { ok: false; reason: string },
    now: number,
  ): Unanswered | null {
    if (answer.ok) {
      this.#failed.delete(containerId);
      return null;
    }
    const unanswered = noteFailure(this.#failed.get(containerId) ?? null, answer.reason, now);
    this.#failed.set(containerId, unanswered);
    return unanswered;
  }

  forget(containerId: string): void {
    this.#failed.delete(containerId);
  }

  /** Nobody else is asked any more. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const id of this.#failed.keys()) if (!containerIds.has(id)) this.#failed.delete(id);
  }
}

/**
 * Of apps that ask for it (`restart_unresponsive`): a replica that runs but no longer answers its health path is
 * restarted, one at a time. Of all others nothing is asked: whether an answer of 500 is better than a restart, only
 * their owner knows.
 */
export async function restartUnresponsive(
  tools: ProbeTools,
  probes: UnansweredProbes,
  signal: AbortSignal,
): Promise<void> {
  const asking = await askingForRestarts(tools.prisma);
  const { now, releases } =
    asking.size === 0
      ? { now: new Date(), releases: [] }
      : await readLiveReleases(tools.prisma, tools.box, asking);
  const asked = new Set<string>();
  for (const release of releases) {
    const { healthCheckPath: path } = release.config;
    if (path === null || (release.health?.notBefore ?? now) > now) continue;
    const replicas = await probe(tools, release, { path, probes, signal });
    for (const { containerId } of replicas) asked.add(containerId);
    const due = replicaToRestart(replicas, tools.clock.now());
    const replica = replicas.find(({ containerId }) => containerId === due);
    if (!replica || !(await shouldStillRun(tools.prisma, release))) continue;
    probes.forget(replica.containerId);
    await restart(tools, release, { replica, path, now });
  }
  probes.keepOnly(asked);
}

async function probe(
  tools: ProbeTools,
  release: LiveRelease,
  of: { path: string; probes: UnansweredProbes; signal: AbortSignal },
): Promise<(ProbedReplica & RunningContainer)[]> {
  const { containers, clock, settings } = tools;
  const { deploymentId, attempt, config } = release;
  const own = (await containers.list({ deploymentId })).filter((container) => container.attempt === attempt);
  const probed = await Promise.all(
    own.map(async (container) => {
      const state = await containers.state(container.containerId);
      if (state?.status !== 'running') return [];
      const { address, port, containerId } = container;
      const target = { address, port, path: of.path, host: config.hosts[0] ?? container.containerName };
      const answer = await tools.probe.ask(target, of.signal);
      const isStarting = Date.now() - Date.parse(state.startedAt) < settings.gateTimeoutSeconds * 1000;
      return [{ ...container, unanswered: of.probes.note(containerId, answer, clock.now()), isStarting }];
    }),
  );
  return probed.flat();
}

/** Counted before it is done: a worker that dies of it must not begin at once again. */
async function restart(
  { prisma, repairs, logger, settings }: ProbeTools,
  release: LiveRelease,
  of: { replica: ProbedReplica & RunningContainer; path: string; now: Date },
): Promise<void> {
  const { replica, path } = of;
  const { deploymentId, config } = release;
  const count = addRestarts(release.health, 1, of.now);
  const cause = `did not answer ${path} (${replica.unanswered?.reason ?? 'no answer'})`;
  const pause = pauseSeconds(Math.ceil(count.restarts / config.replicas));
  await recordHealth(prisma, deploymentId, { ...count, pauseSeconds: pause, cause });
  logger.warn(
    { deploymentId, containerName: replica.containerName, cause },
    'restarting an unresponsive replica',
  );
  await repairs.restart(replica.containerId, settings.stopGraceSeconds);
  const text = `Replica ${replica.replica} ${cause} and has been restarted`;
  await tellOfRelease(prisma, release, { text, level: 'warning' });
  if (release.isCrashed || !isCrashLoop(count, config.replicas)) return;
  const reason = `The app was restarted ${count.restarts} times within ten minutes; the last time it ${cause}.`;
  await markCrashed(prisma, release, new DeploymentFailed('health_check_failed', reason));
}
