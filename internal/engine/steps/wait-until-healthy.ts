import { beginStep } from '../begin-step.ts';
import { explainUnready } from '../explain-unready.ts';
import type { Candidate, Job, Tools } from '../job.ts';
import type { ProbeResult, RunningContainer } from '../ports.ts';
import { candidateEvidence, requireRunning } from './require-running.ts';

const ASK_EVERY_MS = 200;
const SUCCESSES_IN_A_ROW = 2;

/**
 * The gate: asks each container over the network until it is ready, or says why it is not. With a health path, two
 * good answers in a row; without one, an open port and a watch of some seconds in which the process does not end.
 * @throws DeploymentFailed with the last lines of the candidate
 */
export async function waitUntilHealthy(job: Job, tools: Tools, candidate: Candidate): Promise<void> {
  await beginStep(job, tools, 'gating');
  const path = job.config.healthCheckPath;
  const asked = path === null ? `port ${candidate.port}` : `${path} on port ${candidate.port}`;
  job.say({ text: `Waiting for ${asked} (up to ${tools.settings.gateTimeoutSeconds} s)`, level: 'deploy' });

  // The first failure decides, and ends the asking of the others.
  const failed = new AbortController();
  const signal = AbortSignal.any([job.signal, failed.signal]);
  try {
    await Promise.all(
      candidate.containers.map((container) => untilHealthy(job, tools, { candidate, container, signal })),
    );
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  job.say({ text: 'Healthy', level: 'success' });
}

async function untilHealthy(
  job: Job,
  tools: Tools,
  of: { candidate: Candidate; container: RunningContainer; signal: AbortSignal },
): Promise<void> {
  const { clock, settings } = tools;
  const { container, signal } = of;
  const { port } = of.candidate;
  const path = job.config.healthCheckPath;
  const began = clock.now();
  const elapsedSeconds = () => (clock.now() - began) / 1000;
  const host = job.config.hosts[0] ?? container.containerName;

  let lastAnswer: ProbeResult | null = null;
  let successes = 0;
  while (elapsedSeconds() < settings.gateTimeoutSeconds || successes > 0) {
    await requireRunning(job, tools, container, 'before it was ready');

    lastAnswer = await tools.probe.ask({ address: container.address, port, path, host }, signal);
    successes = lastAnswer.ok ? successes + 1 : 0;
    const watched = path !== null || elapsedSeconds() >= settings.watchSeconds;
    if (successes >= SUCCESSES_IN_A_ROW && watched) return;
    await clock.sleep(ASK_EVERY_MS, signal);
  }

  const state = await requireRunning(job, tools, container, 'before it was ready');
  throw explainUnready({
    port,
    path,
    timeoutSeconds: settings.gateTimeoutSeconds,
    lastAnswer,
    listening: await tools.containers.listeningPorts(container.containerId),
    evidence: await candidateEvidence(tools, container, state),
  });
}
