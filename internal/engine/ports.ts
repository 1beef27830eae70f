/**
 * What the pipeline needs from the world, as small interfaces. Types only: adapters (gitrepo, dockerbuild, dockerrun,
 * health) import from here and prove that they fit with `satisfies`; cmd/worker/main.ts joins the two.
 * Everything that can take long takes an AbortSignal and ends soon after it is aborted, rejecting with its reason.
 */
import type { Secret } from '../secrets/secret.ts';
import type { RepositoryFacts, WorkspaceFacts, WorkspacePackage } from './plan-build.ts';

export type { RepositoryFacts, WorkspaceFacts, WorkspacePackage };

/** Whose container, image or folder a thing is. Every Docker object carries all of it as labels. */
export interface AttemptRef {
  readonly deploymentId: string;
  readonly attempt: number;
  readonly appId: string;
  readonly appName: string;
  readonly projectId: string;
  readonly ownerHash: string;
}

/** One line for the person who deploys; the sink stamps, numbers, masks and stores it. */
export type LineLevel = 'info' | 'warning' | 'error' | 'success' | 'deploy';
export interface Line {
  readonly text: string;
  readonly level?: LineLevel;
  readonly stream?: 'stdout' | 'stderr';
}
export type LineSink = (line: Line) => void;

// ---------------------------------------------------------------- source

/** What Git shows to a host that asks who it is. */
export type SourceCredential =
  | {
      readonly kind: 'none';
      /** `not_connected`: of this GitHub, and nobody has given us access; `github_unavailable`: perhaps somebody has. */
      readonly why: 'other_host' | 'not_connected' | 'github_unavailable';
    }
  /** For this origin (scheme, host and port) only. */
  | {
      readonly kind: 'token';
      readonly origin: string;
      readonly userName: string;
      readonly token: Secret;
      readonly via: 'installation' | 'user';
    }
  /** Then the repository is fetched by ssh. OpenSSH's own format. */
  | { readonly kind: 'ssh_key'; readonly privateKey: Secret };

export interface SourceCredentials {
  /** For the owner of a project, and the app, which may have a key of its own. */
  find(of: {
    readonly userId: string;
    readonly appId: string | null;
    readonly repoUrl: string;
  }): Promise<SourceCredential>;
}

export interface CheckoutRequest {
  readonly deploymentId: string;
  readonly attempt: number;
  /** Whose mirror of the repository is used, and made; null: none. */
  readonly projectId: string | null;
  readonly repoUrl: string;
  /** Null: `main`, else the remote's default branch. */
  readonly branch: string | null;
  /** 40 hex digits; null: the branch's head. */
  readonly commitSha: string | null;
  readonly credential: SourceCredential;
  /** Null: their folders stay empty. */
  readonly submodules: SubmoduleAccess | null;
  /** Whether files that LFS keeps are fetched; their pointers stay where they are not. */
  readonly lfs: boolean;
}

export interface SubmoduleAccess {
  /** By what a repository of that URL is to be cloned. */
  readonly credentialFor: (repoUrl: string) => Promise<SourceCredential>;
}

export interface Checkout {
  /** Absolute path of the work tree; `.git` is already removed. */
  readonly directory: string;
  readonly commitSha: string;
  readonly commitMessage: string;
  readonly branch: string;
  /** What the mirror takes on the disk; null: there is none. */
  readonly mirrorBytes: number | null;
}

export interface SourceCheckout {
  /** @throws DeploymentFailed clone_failed, clone_unauthorized, clone_timeout, clone_forbidden, repository_moved, branch_not_found, commit_not_found, repository_empty, … */
  checkout(request: CheckoutRequest, options: { onLine: LineSink; signal: AbortSignal }): Promise<Checkout>;
  /** Ends git processes of that attempt (or of all attempts) and removes its folder. Nothing there: no error. */
  remove(deploymentId: string, attempt?: number): Promise<void>;
  /** Deployment ids that have a folder, for the reconciler. */
  listDeployments(): Promise<string[]>;
}

/** What was fetched of a repository, kept for the next clone of the same project. */
export interface Mirror {
  readonly name: string;
  readonly bytes: number;
  readonly usedAt: Date;
}

export interface RepositoryMirrors {
  nameOf(of: { readonly projectId: string; readonly repoUrl: string }): string;
  /** But for those that a deployment is using. */
  list(): Promise<Mirror[]>;
  /** Gone, or in use by now: no error. */
  remove(name: string): Promise<void>;
}

/** Reads what build planning needs, and nothing else, from a checkout that nobody trusts. */
export interface RepositoryReader {
  /** @throws DeploymentFailed root_directory_missing, dockerfile_invalid */
  read(
    directory: string,
    wanted: {
      readonly rootDirectory: string;
      readonly dockerfilePath: string | null;
      /** Paths of files in the root directory whose text is wanted, where they are there and small. */
      readonly textsOf: readonly string[];
    },
  ): Promise<RepositoryFacts>;
}

// ---------------------------------------------------------------- image

export interface BuildRequest {
  readonly ref: AttemptRef;
  /** Absolute path of the build context (the checkout's root directory). */
  readonly contextDirectory: string;
  /** Path of the Dockerfile relative to the context, or the text of a generated one. */
  readonly dockerfile: { readonly path: string } | { readonly generated: string };
  /** For the ARG instructions that declare them; the others go nowhere. The image's history shows them. */
  readonly buildArguments: Readonly<Record<string, string>>;
  /** For the RUN instructions that mount them (`--mount=type=secret,id=KEY`); they are in no layer and no history. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly tag: string;
  /** The stage to build; without it the last one. */
  readonly target?: string | null;
  /** Every step anew, on base images pulled anew where they can be had. */
  readonly noCache?: boolean;
  /** Narrower than the platform's, never wider. */
  readonly limits?: { readonly [limit in keyof BuildLimits]?: number | null };
}

/** Of one build. */
export interface BuildLimits {
  readonly timeoutSeconds: number;
  /** How long it may say nothing. */
  readonly silenceSeconds: number;
  readonly memoryMb: number;
  readonly cpus: number;
  /** Processes and threads of one step. */
  readonly pids: number;
  /** What it may write. */
  readonly diskMb: number;
}

export interface BuiltImage {
  readonly imageId: string;
  /** TCP ports of EXPOSE, ascending. */
  readonly exposedPorts: readonly number[];
  /** All of its layers. */
  readonly bytes: number;
}

export interface ImageBuilder {
  /** @throws DeploymentFailed build_failed, build_timeout, build_silent, build_out_of_memory, build_too_many_processes, build_disk_exceeded, base_image_unavailable, image_label_forbidden, context_*, dockerfile_*, disk_full, docker_unavailable */
  build(
    request: BuildRequest,
    options: {
      onLine: LineSink;
      /** Awaited between parts of the output: resolves when more lines can be taken. */
      room?: () => Promise<void>;
      /** Awaited where a cache of the app is built with, before and after: its bytes; null: not known. Never rejects. */
      onCache?: (bytes: number | null) => Promise<void>;
      signal: AbortSignal;
    },
  ): Promise<BuiltImage>;
  /** The image's facts, or null when it is gone. */
  inspect(imageId: string): Promise<BuiltImage | null>;
  /** Images of ours (instance label), for the reconciler and retention. */
  list(filter: { appId?: string }): Promise<ImageSummary[]>;
  /** Removes one image of ours by id; in use or gone: no error. */
  remove(imageId: string): Promise<void>;
  /** Apps, deleted ones too, of whose builds BuildKit keeps a cache here. */
  buildKitCaches(): Promise<string[]>;
  /** Removes that of one app; none of ours there: no error. @returns false: a build is using it */
  removeCache(appId: string): Promise<boolean>;
  /** Nameless layers that builds of ours left behind. */
  cachedLayers(): Promise<CachedLayer[]>;
  /** Removes one of them, and not what it stands on; in use or gone: no error. */
  removeLayer(imageId: string): Promise<void>;
}

/** A place for images beside this machine, from which other machines may have them. */
export interface ImageRegistry {
  /** Gives an image of ours that name and brings it there. @throws DeploymentFailed registry_push_failed, disk_full, docker_unavailable */
  push(
    image: { readonly imageId: string; readonly name: string },
    options: { onLine: LineSink; signal: AbortSignal },
  ): Promise<void>;
}

export interface ImageSummary {
  readonly imageId: string;
  readonly appId: string;
  readonly deploymentId: string;
  readonly createdAt: Date;
  readonly bytes: number;
}

/** A layer of the build cache. */
export interface CachedLayer {
  readonly imageId: string;
  readonly parentId: string | null;
  readonly appId: string;
  /** What it adds to its parent. */
  readonly bytes: number;
  readonly createdAt: Date;
  /** An image with a name, or a container, stands on it: removing it would free nothing. */
  readonly isNeeded: boolean;
}

/** Room on the file system that images and builds lie on. */
export interface DiskSpace {
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}
export interface DiskProbe {
  read(): Promise<DiskSpace>;
}

// ---------------------------------------------------------------- containers

export interface StartRequest {
  readonly ref: AttemptRef;
  /** 1-based; 0 for one that is no replica of the app, such as its release command. */
  readonly replica: number;
  readonly containerName: string;
  readonly imageId: string;
  readonly port: number;
  readonly network: { readonly name: string; readonly subnet: string };
  /** A fixed IPv4 in that subnet. */
  readonly address: string;
  /** The name by which neighbours of the project reach the app. */
  readonly alias: string;
  readonly environment: Readonly<Record<string, string>>;
  /** In place of the image's CMD. */
  readonly command: readonly string[] | null;
  /** In place of the image's ENTRYPOINT and CMD together. */
  readonly entrypoint?: readonly string[];
  readonly limits: { readonly memoryMb: number; readonly cpus: number; readonly pids: number };
  /** Traefik's labels, from routing/traefik-labels.ts. */
  readonly routingLabels: Readonly<Record<string, string>>;
  /** `routed`: its gate is made open, for a release that has its traffic: healthy as soon as it listens. */
  readonly gate: 'closed' | 'routed';
}

export interface RunningContainer {
  readonly containerId: string;
  readonly containerName: string;
  /** Empty when it has been taken out of its network. */
  readonly address: string;
  readonly deploymentId: string;
  readonly attempt: number;
  readonly appId: string;
  readonly replica: number;
  /** The port the app listens on, from our label `berth.port`. */
  readonly port: number;
}

export interface ContainerState {
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  /** RFC 3339, as Docker tells it; changes with every start. */
  readonly startedAt: string;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly restartCount: number;
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  /** Docker could not run the health check at all (exec failed), with its words. */
  readonly gateError: string | null;
  readonly restartPolicy: string;
  /** Ids of the networks it is in, or was when it ended; empty for one that has never run. */
  readonly networkIds: readonly string[];
  /** RFC 3339. */
  readonly createdAt: string;
}

/** A port in LISTEN state inside a container. */
export interface ListeningPort {
  readonly port: number;
  readonly loopbackOnly: boolean;
}

export interface ContainerRunner {
  /** Makes the project's bridge network if it is missing. */
  ensureNetwork(network: {
    name: string;
    subnet: string;
    projectId: string;
    ownerHash: string;
  }): Promise<void>;
  /** Subnets that must not be chosen: Docker networks and routes of the host, as CIDR. */
  usedSubnets(): Promise<string[]>;
  removeNetwork(name: string): Promise<void>;
  /** Creates and starts; on failure removes what it made. @throws DeploymentFailed image_start_failed, docker_unavailable, disk_full */
  start(request: StartRequest, signal: AbortSignal): Promise<RunningContainer>;
  /** Null: it is gone. */
  state(containerId: string): Promise<ContainerState | null>;
  /**
   * Whether the daemon of now has seen that container end since that start; false: a restart of Docker may have ended
   * it. @throws DeploymentFailed docker_unavailable, also while the daemon is being stopped
   */
  sawEnd(containerId: string, startedAt: string): Promise<boolean>;
  /** All containers of ours (instance label), running or not. */
  list(filter: { deploymentId?: string; appId?: string }): Promise<RunningContainer[]>;
  setRestartPolicy(containerId: string, policy: 'no' | 'always'): Promise<void>;
  /** Makes Docker begin the container's health check anew; for one that stays `starting`, never for a healthy one. */
  restartHealthCheck(containerId: string): Promise<void>;
  /**
   * Policy `no`, SIGTERM, grace, SIGKILL, remove with anonymous volumes and the gate folder. Gone: no error.
   * @param beforeRemove is awaited when the container has ended and its output can still be read
   */
  stopAndRemove(
    container: RunningContainer,
    graceSeconds: number,
    beforeRemove?: () => Promise<void>,
  ): Promise<void>;
  /** Ports in LISTEN state, read from inside. */
  listeningPorts(containerId: string): Promise<ListeningPort[]>;
  /** Count of ESTABLISHED connections to the app's port, read from inside; null when it cannot be read. */
  establishedConnections(container: RunningContainer): Promise<number | null>;
  /** The last lines the container wrote, oldest first. */
  logTail(containerId: string, lines: number): Promise<string[]>;
  /** Starts and removes a throw-away container, whose events make Traefik list again. */
  nudgeProxy(): Promise<void>;
}

/** What is done to containers that are not as their rows want them. Each is idempotent. */
export interface ContainerRepairs {
  /** Starts one that has ended, or never ran. @throws DeploymentFailed image_start_failed, docker_unavailable, … */
  startAgain(containerId: string): Promise<void>;
  unpause(containerId: string): Promise<void>;
  /** SIGTERM, grace, SIGKILL, start: its first process anew. */
  restart(containerId: string, graceSeconds: number): Promise<void>;
  /** Policy `no`, SIGTERM, grace, SIGKILL; the container stays. */
  stop(containerId: string, graceSeconds: number): Promise<void>;
  /** Kills and removes it. Its volumes stay, and its gate folder, which may be another's too. */
  remove(containerId: string): Promise<void>;
  /** Networks of ours: name → id. */
  networks(): Promise<ReadonlyMap<string, string>>;
  /** Puts it into the network of that name, out of one of that name which is gone. */
  joinNetwork(
    containerId: string,
    network: { readonly name: string; readonly address: string; readonly alias: string },
  ): Promise<void>;
  /**
   * Ends the hold of its health check, so that what it has to say shows at once and not an hour later.
   * @returns false: it did not hold
   */
  endHold(containerId: string): Promise<boolean>;
  /** Containers of steps of builds that are under way, or were when the daemon ended under them. */
  buildSteps(): Promise<readonly { readonly containerId: string; readonly appId: string }[]>;
  /** Ids of containers older than that which were made for a moment, as a nudge of the proxy is. */
  outlived(seconds: number): Promise<readonly string[]>;
  /** The highest priority of a router of our containers; 0: there is none. */
  highestRoutePriority(): Promise<number>;
}

/** Something that befell a container of ours. */
export interface ContainerEvent {
  readonly containerId: string;
  readonly deploymentId: string;
  readonly kind: 'ended' | 'out_of_memory' | 'removed' | 'paused';
  /** Of one that has ended. */
  readonly exitCode: number | null;
}
export interface ContainerEvents {
  /** Tells of them as they come; null: some may have been missed. Never rejects; ends when the signal is aborted. */
  watch(onEvent: (event: ContainerEvent | null) => void, signal: AbortSignal): Promise<void>;
}

// ---------------------------------------------------------------- runtime logs

/** A piece of a container's output as Docker keeps it: a line, or 16 KB of a longer one. */
export interface OutputPiece {
  readonly stream: 'stdout' | 'stderr';
  /**
   * When it was written, nanoseconds since 1970. Never falls within one stream of one container, and only the pieces of
   * one line have the same.
   */
  readonly ns: bigint;
  /** Without the line end. */
  readonly bytes: Buffer;
  readonly endsLine: boolean;
}

/** Which part of an output: from a time on, or its last so many pieces. */
export type OutputPart = { readonly fromNs: bigint } | { readonly last: number };

export interface RuntimeLogs {
  /**
   * That part of what the container has written up to now, as it was written, without what was rotated away; read no
   * faster than it is taken. Gone: nothing.
   */
  read(containerId: string, part: OutputPart, signal: AbortSignal): AsyncIterable<readonly OutputPiece[]>;
  /**
   * Calls `onWrite` as soon as it listens, and soon after the container has written; seldom an Engine fails to. Resolves
   * when the container has ended or is gone, rejects when the connection breaks.
   */
  listen(containerId: string, onWrite: () => void, signal: AbortSignal): Promise<void>;
  /**
   * Tells of containers of ours that start or end, by id; null: some may have been missed, so look at all of them.
   * Never rejects; ends when the signal is aborted.
   */
  watch(onChange: (containerId: string | null) => void, signal: AbortSignal): Promise<void>;
}

// ---------------------------------------------------------------- gate

/** Whose gate folder it is. */
export type GateOwner = Pick<AttemptRef, 'deploymentId' | 'attempt'>;

/** Whose folder it is, and of which of its containers. */
export interface GateFolder extends GateOwner {
  readonly replica: number;
}

/** The folder mounted read-only at /.berth (made by ContainerRunner.start): its flag files are the switch. */
export interface GateFiles {
  /** Writes `ready`: healthy as soon as the port listens. */
  open(ref: GateOwner, replica: number): Promise<void>;
  /** Removes both flags: unhealthy after a few seconds, or with `routed` when its hold is ended. */
  close(ref: GateOwner, replica: number): Promise<void>;
  /** Writes `routed`: the release has its traffic and keeps it, so the check may hold. */
  markRouted(ref: GateOwner, replica: number): Promise<void>;
  /** Whether `ready` is there; null: the folder is gone. */
  isOpen(ref: GateOwner, replica: number): Promise<boolean | null>;
  list(): Promise<GateFolder[]>;
  remove(ref: GateOwner, replica: number): Promise<void>;
  removeAll(deploymentId: string): Promise<void>;
}

/** One question to a candidate. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** Null: is the port open? */
  readonly path: string | null;
  readonly host: string;
}
export type ProbeResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly connected: boolean };
export interface HealthProbe {
  /** Never rejects but for the signal; each try ≤ 5 s, redirects are not followed, the body read is capped. */
  ask(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult>;
}

// ---------------------------------------------------------------- proxy

/** What Traefik's API says of one release. */
export interface RouteState {
  readonly routerEnabled: boolean;
  /** `http://address:port` of the servers Traefik would send to. */
  readonly servers: readonly string[];
}
export interface RouteTable {
  /** Null: Traefik knows no such router. @throws when Traefik cannot be reached. */
  read(routerName: string): Promise<RouteState | null>;
  /** Names of all routers of the docker provider. */
  listRouters(): Promise<string[]>;
}
