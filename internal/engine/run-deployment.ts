import { openSnapshot } from '../deployments/config-snapshot.ts';
import { type Claim, heartbeat } from '../deployments/deployment-queue.ts';
import { CancelRequested, claimedRow, LeaseLost, readClaimed } from '../deployments/deployment-store.ts';
import { secretsOf } from '../deployments/release-secrets.ts';
import { LogWriter } from '../logs/log-writer.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { deploy } from './deploy.ts';
import { attemptsFor, endDeployment } from './end-deployment.ts';
import type { Tools } from './job.ts';
import { ShuttingDown } from './job-ended.ts';
import type { Line } from './ports.ts';
import { giveUp } from './steps/give-up.ts';

export interface WorkerIdentity {
  readonly id: string;
  readonly leaseSeconds: number;
}

/** How late a cancellation may be noticed when no notification comes. */
const LOOK_FOR_CANCEL_EVERY_MS = 2_000;

/** What a running deployment listens to from outside. */
export interface Interrupts {
  /** Aborted when the worker stops. */
  readonly shutdown: AbortSignal;
  /** Calls back when someone may have asked to cancel this deployment; returns how to stop listening. */
  readonly onCancelHint: (deploymentId: string, listener: () => void) => () => void;
}

/**
 * Works on one claimed deployment until it is live, ended, handed back or lost. Never rejects because of the
 * deployment; it does when the worker stops while the database is away, and then the lease runs out and another
 * attempt follows.
 */
export async function runDeployment(
  claim: Claim,
  tools: Tools,
  of: { worker: WorkerIdentity; box: SealedBox; interrupts: Interrupts },
): Promise<void> {
  const logger = tools.logger.child({ deploymentId: claim.deploymentId, attempt: claim.attempt });
  const lease = keepLease(claim, { ...tools, logger }, of);
  const log = new LogWriter({
    prisma: tools.prisma,
    streamId: claim.deploymentId,
    owner: claimedRow(claim),
    logger,
  });
  const write = (source: 'deploy' | 'build') => (line: Line) =>
    log.write({ source, level: line.level ?? 'info', stream: line.stream ?? null, text: line.text });
  const own = { ...tools, logger };
  try {
    const row = await readClaimed(tools.prisma, claim);
    await tools.checkpoint('claimed');
    const config = openSnapshot(of.box, row.id, row.configSnapshot);
    log.mask(secretsOf(config));
    logger.info({ appId: row.appId, step: row.step }, 'deployment taken');
    const lines = {
      say: write('deploy'),
      onBuildLine: write('build'),
      roomForLines: () => log.drained(),
      flushLines: () => log.flush(),
    };
    const digest = (text: string) => of.box.digest(text, 'build');
    const job = { claim, row, config, digest, signal: lease.signal, ...lines };
    const isEndless = claim.countedAttempts > attemptsFor(row.step);
    await (isEndless ? giveUp(job, own) : deploy(job, own));
    logger.info('deployment done');
  } catch (error) {
    // The first cause decides: a step that was interrupted fails in many ways, its signal knows why.
    const cause = lease.signal.aborted ? lease.signal.reason : error;
    const tell = async (line: Line) => {
      write('deploy')(line);
      await log.flush();
    };
    const masked = (text: string) => log.masked(text);
    const { shutdown } = of.interrupts;
    const ending = { cause, tell, masked, shutdown, signal: lease.signal };
    await endDeployment(own, claim, ending).catch((later: unknown) => {
      if (!(later instanceof LeaseLost)) throw later;
      logger.warn('lease lost, leaving the deployment to its new worker');
    });
  } finally {
    lease.stop();
    await log.close();
  }
}

/**
 * Renews the lease from a timer of its own, and aborts the signal when it is lost, when someone cancels, or at
 * shutdown. A database that is away does not abort: the fence decides at the next write.
 */
function keepLease(
  claim: Claim,
  tools: Tools,
  of: { worker: WorkerIdentity; interrupts: Interrupts },
): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const beat = async () => {
    try {
      const answer = await heartbeat(tools.prisma, claim, of.worker);
      if (answer === 'lost') controller.abort(new LeaseLost(`deployment ${claim.deploymentId}`));
      if (answer === 'cancel_requested') controller.abort(new CancelRequested());
    } catch (error) {
      tools.logger.warn({ err: error }, 'heartbeat failed');
    }
  };
  const onShutdown = () => controller.abort(new ShuttingDown());
  const every = Math.min((of.worker.leaseSeconds * 1000) / 3, LOOK_FOR_CANCEL_EVERY_MS);
  const timer = setInterval(() => void beat(), every).unref();
  const unsubscribe = of.interrupts.onCancelHint(claim.deploymentId, () => void beat());
  of.interrupts.shutdown.addEventListener('abort', onShutdown);
  if (of.interrupts.shutdown.aborted) onShutdown();
  void beat();
  return {
    signal: controller.signal,
    stop() {
      clearInterval(timer);
      unsubscribe();
      of.interrupts.shutdown.removeEventListener('abort', onShutdown);
    },
  };
}
