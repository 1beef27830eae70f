import { releaseAddresses, reserveAddress } from '../../deployments/address-store.ts';
import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import { beginStep } from '../begin-step.ts';
import { choosePort } from '../choose-port.ts';
import { argumentsOf } from '../command-line.ts';
import { attemptRef, type Job, type Tools } from '../job.ts';
import type { BuiltImage, ContainerState, RunningContainer, StartRequest } from '../ports.ts';
import { LineAssembler } from '../runtime-logs/line-assembler.ts';
import { startRequest } from '../start-request.ts';
import { projectNetwork } from './project-network.ts';
import { candidateEvidence, isOver, requireSeenEnd } from './require-running.ts';

const LOOK_EVERY_MS = 500;

/**
 * Runs the app's release command once in this attempt, in a container of its own: the new image with its environment,
 * in the project's network, before any container of the new release is started. No traffic ever reaches it.
 * @throws DeploymentFailed release_command_failed, release_command_timeout
 */
export async function runReleaseCommand(job: Job, tools: Tools, image: BuiltImage): Promise<void> {
  const command = job.config.releaseCommand;
  if (command === null) return;
  await beginStep(job, tools, 'releasing');
  job.say({ text: `Running the release command: ${command}`, level: 'deploy' });
  const request = await requestOf(job, tools, { image, command });
  try {
    const container = await tools.containers.start(request, job.signal);
    try {
      await tools.checkpoint('releasing-started');
      await awaitSuccess(job, tools, container);
    } finally {
      await tools.containers.stopAndRemove(container, tools.settings.stopGraceSeconds);
    }
  } finally {
    await releaseAddresses(tools.prisma, [request.containerName]);
  }
  job.say({ text: 'The release command has succeeded', level: 'deploy' });
}

async function requestOf(
  job: Job,
  tools: Tools,
  { image, command }: { image: BuiltImage; command: string },
): Promise<StartRequest> {
  const ref = attemptRef(job);
  const network = await projectNetwork(job, tools);
  const containerName = `${ref.appName}-${ref.deploymentId}-${ref.attempt}-release`;
  const address = await reserveAddress(tools.prisma, {
    projectId: ref.projectId,
    subnet: network.subnet,
    deploymentId: ref.deploymentId,
    containerName,
  });
  const plan = {
    ref,
    config: job.config,
    imageId: image.imageId,
    port: choosePort(job.config.port, image.exposedPorts),
    network,
    baseDomain: tools.settings.baseDomain,
    routeSequence: 0,
  };
  return {
    ...startRequest(plan, { replica: 0, address, gate: 'closed' }),
    containerName,
    command: null,
    // An image whose ENTRYPOINT is its server would start that, with the command as its arguments.
    entrypoint: argumentsOf(command),
    // Neither the proxy nor a neighbour may take it for the app.
    alias: `${ref.appName}-release`,
    routingLabels: {},
  };
}

async function awaitSuccess(job: Job, tools: Tools, container: RunningContainer): Promise<void> {
  const limit = tools.settings.releaseTimeoutSeconds;
  const late = tools.clock.now() + limit * 1000;
  const output = new Output(job, tools, container);
  for (;;) {
    const state = await tools.containers.state(container.containerId);
    await output.say();
    if (state === null || isOver(state)) {
      await requireSeenEnd(tools, container, state);
      if (state?.exitCode === 0) return;
      throw await failureOf(tools, container, state);
    }
    if (tools.clock.now() >= late) {
      const evidence = await candidateEvidence(tools, container, state);
      const text = `The release command has not ended within ${limit} seconds.`;
      throw new DeploymentFailed('release_command_timeout', text, { evidence });
    }
    await tools.clock.sleep(LOOK_EVERY_MS, job.signal);
  }
}

/** What the command writes, as lines of the deployment, each once. */
class Output {
  readonly #job: Job;
  readonly #tools: Tools;
  readonly #container: RunningContainer;
  readonly #lines = new LineAssembler();
  #nextNs = 0n;

  constructor(job: Job, tools: Tools, container: RunningContainer) {
    this.#job = job;
    this.#tools = tools;
    this.#container = container;
  }

  /** What has come since the last time. */
  async say(): Promise<void> {
    const { runtimeLogs } = this.#tools;
    const part = { fromNs: this.#nextNs };
    for await (const pieces of runtimeLogs.read(this.#container.containerId, part, this.#job.signal)) {
      for (const piece of pieces) {
        const line = this.#lines.push(piece);
        if (piece.ns >= this.#nextNs) this.#nextNs = piece.ns + 1n;
        if (line) this.#job.onBuildLine({ text: line.text, stream: line.stream });
      }
      await this.#job.roomForLines();
    }
  }
}

async function failureOf(
  tools: Tools,
  container: RunningContainer,
  state: ContainerState | null,
): Promise<DeploymentFailed> {
  if (state === null) {
    return new DeploymentFailed('release_command_failed', 'The container of the release command is gone.');
  }
  const evidence = await candidateEvidence(tools, container, state);
  const how = state.outOfMemory ? 'ran out of memory' : `ended with exit code ${state.exitCode}`;
  return new DeploymentFailed('release_command_failed', `The release command ${how}.`, { evidence });
}
