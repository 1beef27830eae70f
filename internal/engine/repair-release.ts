import { projectSubnet, reserveAddress } from '../deployments/address-store.ts';
import { tellOfRelease } from '../deployments/release-marker.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Repair, SeenContainer } from './decide-repairs.ts';
import { NO_GRACE_SECONDS } from './end-containers.ts';
import type { Tools } from './job.ts';
import { type LiveRelease, shouldStillRun } from './live-release-store.ts';
import { endContainer } from './runtime-logs/end-container.ts';
import { type ReleasePlan, replicaName, startRequest } from './start-request.ts';

export type RepairTools = Pick<
  Tools,
  | 'prisma'
  | 'containers'
  | 'repairs'
  | 'gate'
  | 'runtimeLogs'
  | 'releaseSecrets'
  | 'clock'
  | 'logger'
  | 'settings'
>;

/**
 * Carries out what was decided, each repair with a line in the app's log. One that fails keeps none of the others from
 * being tried. @returns why the first of them failed; null: all is done. @throws when Docker does not answer
 */
export async function repairRelease(
  tools: RepairTools,
  release: LiveRelease,
  { repairs, signal }: { repairs: readonly Repair[]; signal: AbortSignal },
): Promise<Error | null> {
  const logger = tools.logger.child({ deploymentId: release.deploymentId, appId: release.appId });
  const hands = new ReleaseRepairs({ ...tools, logger }, release, signal);
  let failure: Error | null = null;
  for (const repair of repairs) {
    signal.throwIfAborted();
    try {
      const text = await hands.perform(repair);
      if (text === null) continue;
      logger.warn({ repair: repair.kind, what: text }, 'live release repaired');
      await tellOfRelease(tools.prisma, release, { text, level: 'warning' });
    } catch (error) {
      if (!(error instanceof Error) || isDaemonAway(error)) throw error;
      logger.error({ err: error, repair: repair.kind }, 'repair failed');
      failure ??= error;
    }
  }
  // Traefik looks at networks only when a container starts, ends or changes its health.
  if (repairs.some(({ kind }) => kind === 'join_network')) await tools.containers.nudgeProxy();
  return failure;
}

export function isDaemonAway(error: unknown): boolean {
  return error instanceof DeploymentFailed && error.code === 'docker_unavailable';
}

/** A run of the check comes every 0.3 s. */
const RUNS_AWAITED = 10;
const RUN_MS = 300;

/** The repairs of one release. Each says what it has done; null: there was nothing to do. */
class ReleaseRepairs {
  readonly #tools: RepairTools;
  readonly #release: LiveRelease;
  readonly #signal: AbortSignal;

  constructor(tools: RepairTools, release: LiveRelease, signal: AbortSignal) {
    this.#tools = tools;
    this.#release = release;
    this.#signal = signal;
  }

  async perform(repair: Repair): Promise<string | null> {
    const { containers, repairs } = this.#tools;
    switch (repair.kind) {
      case 'make_network':
        await this.#network();
        return 'The network of the project was gone and has been made anew';
      case 'remove':
        await repairs.remove(repair.container.containerId);
        return `The surplus container ${repair.container.containerName} has been removed`;
      case 'join_network':
        await this.#join(repair.container);
        return `Replica ${repair.container.replica} was out of its network and is back in it`;
      case 'open_gate':
        return (await this.#openGate(repair.container))
          ? `Replica ${repair.container.replica} was out of the routing and is back in it`
          : null;
      case 'unpause':
        await repairs.unpause(repair.container.containerId);
        await this.#untilHealthy(repair.container.containerId);
        return `Replica ${repair.container.replica} was paused and goes on`;
      case 'start':
        return this.#start(repair.container);
      case 'replace':
        await this.#replace(repair.container);
        return `Replica ${repair.container.replica} could not be started again and has been made anew`;
      case 'create':
        await this.#create(repair.replica);
        return `Replica ${repair.replica} was gone and has been made anew`;
      case 'end_hold':
        return (await repairs.endHold(repair.container.containerId))
          ? `The health check of replica ${repair.container.replica} had not told Docker of it and does now`
          : null;
      case 'restart_check':
        if (!(await repairs.endHold(repair.container.containerId)))
          await containers.restartHealthCheck(repair.container.containerId);
        return `The health check of replica ${repair.container.replica} stood still and goes on`;
      case 'keep_restarting':
        await containers.setRestartPolicy(repair.container.containerId, 'always');
        return `Replica ${repair.container.replica} is started again by Docker from now on`;
      default:
        return repair satisfies never;
    }
  }

  /**
   * `ready` last: a worker that is lost in between leaves a gate that is still seen as closed. @returns false: a stop of
   * the app has come meanwhile, which finds the gate closed
   */
  async #openGate(container: SeenContainer): Promise<boolean> {
    const { prisma, gate, repairs } = this.#tools;
    await gate.markRouted(container, container.replica);
    await gate.open(container, container.replica);
    if (await shouldStillRun(prisma, this.#release)) return true;
    await gate.close(container, container.replica);
    await repairs.endHold(container.containerId);
    return false;
  }

  /**
   * Docker asks anew after a pause. A check that had just said healthy holds then, and Docker would hear of it an hour
   * later: so its hold is ended.
   */
  async #untilHealthy(containerId: string): Promise<void> {
    const { containers, repairs, clock } = this.#tools;
    for (let run = 0; run < RUNS_AWAITED; run++) {
      const state = await containers.state(containerId);
      if (state?.health !== 'unhealthy' && state?.health !== 'starting') return;
      await clock.sleep(RUN_MS, this.#signal);
    }
    await repairs.endHold(containerId);
  }

  async #start(container: SeenContainer): Promise<string> {
    const { replica, state } = container;
    try {
      await this.#tools.repairs.startAgain(container.containerId);
    } catch (error) {
      if (isDaemonAway(error)) throw error;
      // What it was made with may be gone, such as its gate folder.
      this.#tools.logger.warn({ err: error, containerName: container.containerName }, 'making it anew');
      await this.#replace(container);
      return `Replica ${replica} could not be started again and has been made anew`;
    }
    const how = state.status === 'created' ? 'had never run' : `had ended (exit code ${state.exitCode})`;
    return `Replica ${replica} ${how} and has been started again`;
  }

  /** Its address stays reserved, so that the new one gets the same. */
  async #replace(container: SeenContainer): Promise<void> {
    await endContainer(this.#tools, container, NO_GRACE_SECONDS);
    await this.#create(container.replica);
  }

  async #create(replica: number): Promise<void> {
    const plan = await this.#plan();
    const address = await this.#addressOf(plan, replica);
    const request = startRequest(plan, { replica, address, gate: 'routed' });
    const { containerId } = await this.#tools.containers.start(request, this.#signal);
    await this.#tools.containers.setRestartPolicy(containerId, 'always');
  }

  async #join(container: SeenContainer): Promise<void> {
    const plan = await this.#plan();
    const address = await this.#addressOf(plan, container.replica);
    const { name } = plan.network;
    await this.#tools.repairs.joinNetwork(container.containerId, { name, address, alias: plan.ref.appName });
  }

  async #plan(): Promise<ReleasePlan> {
    const { deploymentId, attempt, appId, appName, project, config, imageId, port } = this.#release;
    const ref = {
      deploymentId,
      attempt,
      appId,
      appName,
      projectId: project.id,
      ownerHash: project.ownerHash,
    };
    const { routeSequence } = this.#release;
    const { baseDomain } = this.#tools.settings;
    return { ref, config, imageId, port, baseDomain, routeSequence, network: await this.#network() };
  }

  async #network(): Promise<ReleasePlan['network']> {
    const { prisma, containers, settings } = this.#tools;
    const { project } = this.#release;
    const readUsed = () => containers.usedSubnets();
    const subnet = await projectSubnet(prisma, project.id, { pool: settings.networkPool, readUsed });
    const network = { name: project.networkName, subnet };
    await containers.ensureNetwork({ ...network, projectId: project.id, ownerHash: project.ownerHash });
    return network;
  }

  /** The one it has had before: asked again for the same name, the rows give the same. */
  #addressOf(plan: ReleasePlan, replica: number): Promise<string> {
    const { projectId, deploymentId } = plan.ref;
    const containerName = replicaName(plan, replica);
    const { subnet } = plan.network;
    return reserveAddress(this.#tools.prisma, { projectId, subnet, deploymentId, containerName });
  }
}
