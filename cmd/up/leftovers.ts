import { DockerSocket } from '../../internal/host/docker-socket.ts';
import { endProcess, isAlive } from '../../internal/host/process-identity.ts';
import { type RunState, removeRunState } from '../../internal/host/run-state.ts';
import { removeContainer } from '../../internal/host/traefik-container.ts';
import { stopPostgres } from './start-postgres.ts';

const CHILD_GRACE_MS = 15_000;
/** In this time a supervisor has ended its children, each with a grace of its own. */
const SUPERVISOR_GRACE_MS = 70_000;

/**
 * Ends what a start left: by its supervisor where that is alive, and otherwise, or after it, one by one. Processes are
 * known by number and start time, so one that was given an old number later is never touched.
 */
export async function endAll(state: RunState, dataDir: string, dockerHost: string): Promise<void> {
  if (isAlive(state.supervisor)) await endProcess(state.supervisor, SUPERVISOR_GRACE_MS);
  await endOrphans(state, dataDir, dockerHost);
}

/** For a supervisor that was killed: its children, Traefik's container and Postgres. */
async function endOrphans(state: RunState, dataDir: string, dockerHost: string): Promise<void> {
  for (const identity of Object.values(state.processes).toReversed()) {
    await endProcess(identity, CHILD_GRACE_MS);
  }
  if (state.traefikContainerId !== null) {
    await removeContainer(new DockerSocket(dockerHost), state.traefikContainerId);
  }
  if (state.embeddedPostgres) await stopPostgres(dataDir);
  removeRunState(dataDir);
}
