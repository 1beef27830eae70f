import type { Clock } from '../clock/clock.ts';
import type { PrismaClient } from '../db/database.ts';
import type { ReleaseConfig } from '../deployments/config-snapshot.ts';
import type { Claim } from '../deployments/deployment-queue.ts';
import type { ClaimedDeployment } from '../deployments/deployment-store.ts';
import type { Logger } from '../logger/logger.ts';
import { routeNames } from '../routing/traefik-labels.ts';
import type { Secret } from '../secrets/secret.ts';
import type { FaultPoint } from './fault-points.ts';
import type { BaseImages } from './plan-build.ts';
import type {
  AttemptRef,
  ContainerEvents,
  ContainerRepairs,
  ContainerRunner,
  DiskProbe,
  GateFiles,
  HealthProbe,
  ImageBuilder,
  ImageRegistry,
  LineSink,
  RepositoryMirrors,
  RepositoryReader,
  RouteTable,
  RunningContainer,
  RuntimeLogs,
  SourceCheckout,
  SourceCredentials,
} from './ports.ts';
import type { RegistryPlace } from './registry-name.ts';
import type { LogLimits } from './runtime-logs/trim-logs.ts';

/** What every step is given: the world behind ports, and the few settings that steps decide by. */
export interface Tools {
  readonly prisma: PrismaClient;
  readonly source: SourceCheckout;
  readonly mirrors: RepositoryMirrors;
  readonly credentials: SourceCredentials;
  readonly repository: RepositoryReader;
  readonly images: ImageBuilder;
  /** Null: images stay on this machine. */
  readonly registry: ImageRegistry | null;
  readonly disk: DiskProbe;
  readonly containers: ContainerRunner;
  readonly repairs: ContainerRepairs;
  readonly containerEvents: ContainerEvents;
  readonly runtimeLogs: RuntimeLogs;
  /** What must not stand in the lines of that release. */
  readonly releaseSecrets: (deploymentId: string) => Promise<readonly Secret[]>;
  readonly gate: GateFiles;
  readonly probe: HealthProbe;
  readonly routes: RouteTable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: EngineSettings;
  /** Awaited after each point of no return is recorded; a test's fault is injected here. */
  readonly checkpoint: (point: FaultPoint) => Promise<void>;
}

export interface EngineSettings extends LogLimits {
  readonly baseDomain: string;
  readonly networkPool: string;
  readonly baseImages: BaseImages;
  readonly registry: RegistryPlace | null;
  readonly gateTimeoutSeconds: number;
  readonly watchSeconds: number;
  readonly stopGraceSeconds: number;
  readonly releaseTimeoutSeconds: number;
  /** No build begins with less room than this. */
  readonly diskFloorMb: number;
  /** Of one app. */
  readonly buildKitCacheMb: number;
  /** Of BuildKit's caches together, and of the layers of other builds. */
  readonly buildCacheMaxMb: number;
  readonly mirrorsMaxMb: number;
}

/** One claimed deployment on its way. */
export interface Job {
  readonly claim: Claim;
  readonly row: ClaimedDeployment;
  readonly config: ReleaseConfig;
  /** Keyed: equal for equal texts, and tells nothing else of them. */
  readonly digest: (text: string) => string;
  /** Aborted with LeaseLost, CancelRequested or ShuttingDown. */
  readonly signal: AbortSignal;
  /** Lines for the person who deploys: our own, and those of the build. */
  readonly say: LineSink;
  readonly onBuildLine: LineSink;
  /** Resolves when more lines can be taken: what reads a program's output waits here. */
  readonly roomForLines: () => Promise<void>;
  /** Stores what was said so far, so that a change of status stands in its place among the lines. */
  readonly flushLines: () => Promise<void>;
}

/** The containers that are to become the release, or are it. */
export interface Candidate {
  readonly attempt: number;
  readonly port: number;
  readonly containers: readonly RunningContainer[];
}

export function attemptRef(job: Job, attempt = job.claim.attempt): AttemptRef {
  const { app } = job.row;
  return {
    deploymentId: job.row.id,
    attempt,
    appId: app.id,
    appName: app.name,
    projectId: app.projectId,
    ownerHash: app.project.user.hash,
  };
}

/** The routers that must be there before the release may be called live. */
export function routersOf(job: Job): string[] {
  const { own, main } = routeNames({ appName: job.row.app.name, deploymentId: job.row.id });
  return job.config.hosts.length > 0 ? [own, main] : [own];
}
