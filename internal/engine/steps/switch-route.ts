import { commitSwitching, goLive } from '../../deployments/deployment-store.ts';
import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import { attemptRef, type Candidate, type Job, routersOf, type Tools } from '../job.ts';
import { ProxyPresence, SILENCE } from '../proxy-presence.ts';
import { candidateEvidence, requireRunning } from './require-running.ts';

const LOOK_EVERY_MS = 100;
const ROUTE_TIMEOUT_MS = 30_000;
/** Traefik can miss an event between its first list and its subscription; then a throw-away container wakes it. */
const NUDGE_AFTER_MS = 3_000;
/** An open gate shows within a tenth of a second; Engines before 23 forget a check when they are restarted. */
const CHECK_STALLED_AFTER_MS = 3_000;

/**
 * Opens the gate and proves that the proxy has taken the release: every router enabled, every container a server.
 * Traefik's own rule does the switch (the highest priority among healthy releases wins, at once and for all requests);
 * this confirms it. To change the mechanism, change this file.
 */
export async function switchRoute(job: Job, tools: Tools, candidate: Candidate): Promise<void> {
  if (job.row.status === 'live') return;
  await job.flushLines();
  await commitSwitching(tools.prisma, job.claim);
  await tools.checkpoint('switching');
  const ref = attemptRef(job, candidate.attempt);
  for (const container of candidate.containers) await tools.gate.open(ref, container.replica);
  await confirmRoute(job, tools, candidate);
  await tools.checkpoint('routed');
  await job.flushLines();
  await goLive(tools.prisma, job.claim);
  await tools.checkpoint('live');
  job.say({ text: `Live: ${job.config.hosts.join(', ') || 'reachable by its own host'}`, level: 'success' });
}

async function confirmRoute(job: Job, tools: Tools, candidate: Candidate): Promise<void> {
  const { clock } = tools;
  const proxy = new ProxyPresence(job, tools);
  let began = clock.now();
  let healthySince: number | null = null;
  let checkedSince = began;
  let problem = 'its containers were not reported healthy';
  while (clock.now() - began < ROUTE_TIMEOUT_MS) {
    const healthy = await allHealthy(job, tools, candidate);
    if (healthy) {
      const missing = await missingRoute(job, tools, candidate);
      if (missing === null) return;
      if (proxy.isAway(missing)) began = healthySince = clock.now();
      healthySince ??= clock.now();
      problem = missing;
      if (clock.now() - healthySince > NUDGE_AFTER_MS) {
        tools.logger.warn({ deploymentId: job.row.id }, 'proxy missed a container event, nudging it');
        await tools.containers.nudgeProxy();
        healthySince = clock.now();
      }
    } else if (clock.now() - checkedSince > CHECK_STALLED_AFTER_MS) {
      checkedSince = clock.now();
      await restartStalledChecks(tools, candidate.containers);
    }
    await clock.sleep(LOOK_EVERY_MS, job.signal);
  }
  throw new DeploymentFailed(
    'route_not_active',
    `The proxy did not take the release within 30 s: ${problem}.`,
  );
}

/** A container that is still `starting` although its gate is open has a check that Docker has forgotten. */
async function restartStalledChecks(tools: Tools, containers: Candidate['containers']): Promise<void> {
  for (const container of containers) {
    const state = await tools.containers.state(container.containerId);
    if (state?.health !== 'starting') continue;
    tools.logger.warn({ containerName: container.containerName }, 'health check stalled, starting it anew');
    await tools.containers.restartHealthCheck(container.containerId);
  }
}

/** @throws DeploymentFailed when one has ended, or Docker cannot run its health check */
async function allHealthy(job: Job, tools: Tools, candidate: Candidate): Promise<boolean> {
  let healthy = 0;
  for (const container of candidate.containers) {
    const state = await requireRunning(job, tools, container, 'before it was ready');
    if (state.health === 'healthy') healthy += 1;
    else if (state.health === 'unhealthy' && state.gateError !== null) {
      throw new DeploymentFailed(
        'gate_cannot_run',
        `Docker could not run the health check: ${state.gateError}.`,
        {
          evidence: await candidateEvidence(tools, container, state),
        },
      );
    }
  }
  return healthy === candidate.containers.length;
}

/** What the proxy still lacks, in words; null: nothing. */
async function missingRoute(job: Job, tools: Tools, candidate: Candidate): Promise<string | null> {
  const expected = candidate.containers.map((container) => `http://${container.address}:${candidate.port}`);
  for (const name of routersOf(job)) {
    let route: Awaited<ReturnType<Tools['routes']['read']>>;
    try {
      route = await tools.routes.read(name);
    } catch (error) {
      tools.logger.debug({ err: error }, 'proxy did not answer');
      return SILENCE;
    }
    if (!route?.routerEnabled) return `Traefik has no router ${name}`;
    const absent = expected.filter((server) => !route.servers.includes(server));
    if (absent.length > 0) return `Traefik does not list ${absent.join(', ')}`;
  }
  return null;
}
