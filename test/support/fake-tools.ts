import { pino } from 'pino';
import type { Clock } from '../../internal/clock/clock.ts';
import type { PrismaClient } from '../../internal/db/database.ts';
import type { Tools } from '../../internal/engine/job.ts';
import type {
  ContainerState,
  DiskSpace,
  RunningContainer,
  StartRequest,
} from '../../internal/engine/ports.ts';
import { DeploymentFailed } from '../../internal/errors/deployment-failed.ts';

/** What happened in the fake world, in order, as short words: `start web-x`, `open`, `remove web-x`. */
export interface FakeWorld {
  readonly events: string[];
  readonly containers: Map<string, FakeContainer>;
  readonly tools: Tools;
  /** Called at each checkpoint; a test throws, cancels or kills here. */
  at: (point: string) => void | Promise<void>;
  checkout: (signal: AbortSignal) => Promise<void>;
  healthy: boolean;
  /** Whatever has ended did so with a daemon before this one. */
  dockerRestarted: boolean;
  /** Docker has forgotten to run the health check. */
  checkStalled: boolean;
  /** Name → id. */
  readonly networks: Map<string, string>;
  readonly buildSteps: { containerId: string; appId: string }[];
  /** Images that are gone. */
  readonly missingImages: Set<string>;
  disk: DiskSpace;
  /** Of every branch; null: each clone meets a new commit. */
  head: string | null;
}
export interface FakeContainer extends RunningContainer {
  state: ContainerState;
  gateOpen: boolean;
}

const RUNNING: ContainerState = {
  status: 'running',
  startedAt: '2026-11-21T00:00:00Z',
  exitCode: 0,
  outOfMemory: false,
  restartCount: 0,
  health: 'starting',
  gateError: null,
  restartPolicy: 'no',
  networkIds: ['n1'],
  createdAt: '2026-11-21T00:00:00Z',
};

/** A clock whose sleeps end at once, each moving the time on by what was asked. */
function fakeClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    async sleep(milliseconds, signal) {
      now += milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
}

/** The ports of the engine filled with memory: containers that run, a gate that opens, a proxy that follows at once. */
export function fakeWorld(prisma: PrismaClient): FakeWorld {
  const events: string[] = [];
  const containers = new Map<string, FakeContainer>();
  const of = (ref: { deploymentId: string; attempt: number }, replica: number) =>
    [...containers.values()].find(
      (found) =>
        found.deploymentId === ref.deploymentId && found.attempt === ref.attempt && found.replica === replica,
    );
  let networksMade = 0;
  let commits = 0;
  /** Its replica. */
  const change = (containerId: string, state: Partial<ContainerState>) => {
    const found = containers.get(containerId);
    if (!found) throw new DeploymentFailed('internal', 'There is no such container.');
    found.state = { ...found.state, ...state };
    return found.replica;
  };
  const world: FakeWorld = {
    events,
    containers,
    at: () => undefined,
    checkout: async () => undefined,
    healthy: true,
    dockerRestarted: false,
    checkStalled: false,
    networks: new Map(),
    buildSteps: [],
    missingImages: new Set(),
    head: null,
    disk: { path: '/var/lib/docker', freeBytes: 50_000_000_000, totalBytes: 100_000_000_000 },
    tools: {
      prisma,
      clock: fakeClock(),
      logger: pino({ level: 'silent' }),
      settings: {
        baseDomain: 'localhost',
        networkPool: '10.89.0.0/16',
        registry: null,
        baseImages: {
          node: 'node:20-slim',
          python: 'python:3.12-slim',
          go: 'golang:1.25',
          static: 'nginx:1.29-alpine',
        },
        gateTimeoutSeconds: 60,
        watchSeconds: 10,
        stopGraceSeconds: 10,
        releaseTimeoutSeconds: 600,
        runtimeLogMaxMb: 50,
        runtimeLogMaxDays: 7,
        buildLogMaxDays: 30,
        buildCacheMaxMb: 5120,
        buildKitCacheMb: 2048,
        mirrorsMaxMb: 5120,
        diskFloorMb: 2048,
      },
      checkpoint: async (point) => void world.at(point),
      credentials: { find: async () => ({ kind: 'none', why: 'other_host' }) },
      source: {
        async checkout(request, { signal }) {
          events.push('clone');
          await world.checkout(signal);
          const newest = 'abcdef0123456789'.charAt(commits++ % 16).repeat(40);
          return {
            directory: '/nowhere',
            commitSha: request.commitSha ?? world.head ?? newest,
            commitMessage: 'A change\n\nwith a body',
            branch: request.branch ?? 'main',
            mirrorBytes: 1_000_000,
          };
        },
        async remove() {},
        async listDeployments() {
          return [];
        },
      },
      mirrors: {
        nameOf: ({ projectId, repoUrl }) => `${projectId} ${repoUrl}`,
        async list() {
          return [];
        },
        async remove() {},
      },
      repository: {
        async read() {
          return {
            files: ['Dockerfile'],
            paths: ['Dockerfile'],
            texts: {},
            packageJson: null,
            dockerfileFound: true,
            workspace: null,
          };
        },
      },
      images: {
        async build() {
          events.push('build');
          return { imageId: 'sha256:one', exposedPorts: [3000], bytes: 1000 };
        },
        async inspect(imageId) {
          if (world.missingImages.has(imageId)) return null;
          return { imageId, exposedPorts: [3000], bytes: 1000 };
        },
        async list() {
          return [];
        },
        async remove() {},
        async cachedLayers() {
          return [];
        },
        async removeLayer() {},
        async buildKitCaches() {
          return [];
        },
        async removeCache() {
          return true;
        },
      },
      registry: null,
      disk: {
        async read() {
          return world.disk;
        },
      },
      containers: {
        async ensureNetwork({ name }) {
          if (world.networks.has(name)) return;
          networksMade += 1;
          world.networks.set(name, `n${networksMade}`);
        },
        async usedSubnets() {
          return [];
        },
        async removeNetwork() {},
        async start(request: StartRequest) {
          if (world.missingImages.has(request.imageId)) {
            throw new DeploymentFailed(
              'image_missing',
              'The image of this release is gone from the machine.',
            );
          }
          events.push(`start ${request.replica}`);
          const container: FakeContainer = {
            containerId: request.containerName,
            containerName: request.containerName,
            address: request.address,
            deploymentId: request.ref.deploymentId,
            attempt: request.ref.attempt,
            appId: request.ref.appId,
            replica: request.replica,
            port: request.port,
            state: { ...RUNNING, networkIds: [world.networks.get(request.network.name) ?? ''] },
            gateOpen: request.gate === 'routed',
          };
          containers.set(container.containerId, container);
          return container;
        },
        async state(containerId) {
          return containers.get(containerId)?.state ?? null;
        },
        async sawEnd() {
          return !world.dockerRestarted;
        },
        async list(filter) {
          return [...containers.values()].filter(
            (found) =>
              (filter.deploymentId ?? found.deploymentId) === found.deploymentId &&
              (filter.appId ?? found.appId) === found.appId,
          );
        },
        async setRestartPolicy(containerId, policy) {
          const found = containers.get(containerId);
          if (found) found.state = { ...found.state, restartPolicy: policy };
        },
        async restartHealthCheck(containerId) {
          events.push('check again');
          const found = containers.get(containerId);
          if (found?.gateOpen) found.state = { ...found.state, health: 'healthy' };
        },
        async stopAndRemove(container, _graceSeconds, beforeRemove) {
          await beforeRemove?.();
          events.push(`remove ${container.attempt}.${container.replica} of ${container.deploymentId}`);
          containers.delete(container.containerId);
        },
        async listeningPorts() {
          return [];
        },
        async establishedConnections() {
          return 0;
        },
        async logTail() {
          return ['the last line'];
        },
        async nudgeProxy() {
          events.push('nudge');
        },
      },
      repairs: {
        async startAgain(containerId) {
          events.push(`start again ${change(containerId, { status: 'running' })}`);
        },
        async unpause(containerId) {
          events.push(`unpause ${change(containerId, { status: 'running' })}`);
        },
        async restart(containerId) {
          events.push(`restart ${change(containerId, { status: 'running' })}`);
        },
        async stop(containerId) {
          events.push(`stop ${change(containerId, { status: 'exited', restartPolicy: 'no' })}`);
        },
        async remove(containerId) {
          events.push(`remove ${containers.get(containerId)?.replica ?? 0} alone`);
          containers.delete(containerId);
        },
        async networks() {
          return world.networks;
        },
        async joinNetwork(containerId, { name }) {
          events.push(`join ${change(containerId, { networkIds: [world.networks.get(name) ?? ''] })}`);
        },
        async endHold() {
          return false;
        },
        async buildSteps() {
          return world.buildSteps;
        },
        async outlived() {
          return [];
        },
        async highestRoutePriority() {
          return 0;
        },
      },
      containerEvents: { async watch() {} },
      runtimeLogs: {
        async *read() {
          yield [];
        },
        async listen() {},
        async watch() {},
      },
      releaseSecrets: async () => [],
      gate: {
        async open(ref, replica) {
          events.push(`open ${replica}`);
          const found = of(ref, replica);
          if (!found) return;
          found.gateOpen = true;
          if (!world.checkStalled) found.state = { ...found.state, health: 'healthy' };
        },
        async close(ref, replica) {
          events.push(`close ${replica}`);
          const found = of(ref, replica);
          if (found) found.gateOpen = false;
        },
        async markRouted(_ref, replica) {
          events.push(`routed ${replica}`);
        },
        async isOpen(ref, replica) {
          return of(ref, replica)?.gateOpen ?? null;
        },
        async list() {
          return [];
        },
        async remove() {},
        async removeAll() {},
      },
      probe: {
        async ask() {
          return world.healthy ? { ok: true } : { ok: false, reason: 'status 500', connected: true };
        },
      },
      routes: {
        async read(name) {
          const open = [...containers.values()].filter(
            (found) =>
              found.gateOpen && name.includes(found.deploymentId) && found.state.status === 'running',
          );
          if (open.length === 0) return null;
          return {
            routerEnabled: true,
            servers: open.map((found) => `http://${found.address}:${found.port}`),
          };
        },
        async listRouters() {
          return [];
        },
      },
    },
  };
  return world;
}
