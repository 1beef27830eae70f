import type { ContainerState, RunningContainer } from './ports.ts';

/** A container as it was found. */
export interface SeenContainer extends RunningContainer {
  readonly state: ContainerState;
  /** As a stop leaves it that was interrupted; false where there is none to open. */
  readonly isGateClosed: boolean;
}

/** A release that should run, and what there is of it. */
export interface ReleaseFacts {
  /** As many as its snapshot says. */
  readonly replicas: number;
  /** Of its project's network as it is now; null: there is none. */
  readonly networkId: string | null;
  /** Those of the release's own attempt. */
  readonly containers: readonly SeenContainer[];
  /** Milliseconds since 1970, by the clock that Docker has. */
  readonly now: number;
}

/** By then an app that came back by itself listens, or is starting slowly and loses nothing by being asked again. */
const CHECK_STALLED_AFTER_MS = 30_000;

/** What is to be done, in this order. */
export type Repair =
  | { readonly kind: 'make_network' }
  | { readonly kind: 'remove'; readonly container: SeenContainer }
  | { readonly kind: 'join_network'; readonly container: SeenContainer }
  | { readonly kind: 'open_gate'; readonly container: SeenContainer }
  | { readonly kind: 'unpause'; readonly container: SeenContainer }
  | { readonly kind: 'start'; readonly container: SeenContainer }
  | { readonly kind: 'replace'; readonly container: SeenContainer }
  | { readonly kind: 'create'; readonly replica: number }
  | { readonly kind: 'end_hold'; readonly container: SeenContainer }
  | { readonly kind: 'restart_check'; readonly container: SeenContainer }
  | { readonly kind: 'keep_restarting'; readonly container: SeenContainer };

/**
 * What brings a live release to what its row says: every replica there once, running, in the project's network, its gate
 * open, and started again by Docker. One that Docker is starting again right now is left to it.
 */
export function decideRepairs(facts: ReleaseFacts): Repair[] {
  const { replicas, networkId, containers } = facts;
  const there = containers.filter(({ state }) => state.status !== 'removing');
  const chosen = Array.from({ length: replicas }, (_, index) =>
    there
      .filter(({ replica }) => replica === index + 1)
      .sort(bestFirst)
      .at(0),
  );
  const surplus = there.filter((container) => !chosen.includes(container));
  return [
    ...(networkId === null ? [{ kind: 'make_network' } as const] : []),
    ...surplus.map((container) => ({ kind: 'remove', container }) as const),
    ...chosen.flatMap((container, index) =>
      container ? repairsOf(container, facts) : [{ kind: 'create', replica: index + 1 } as const],
    ),
  ];
}

/** Whether a repair makes a process start, which a release that falls over again and again must not do in a loop. */
export function startsProcess({ kind }: Repair): boolean {
  return kind === 'start' || kind === 'replace' || kind === 'create';
}

function repairsOf(container: SeenContainer, { networkId, now }: ReleaseFacts): Repair[] {
  const { state, isGateClosed } = container;
  // Docker cannot start it any more.
  if (state.status === 'dead') return [{ kind: 'replace', container }];
  const isOutside = networkId === null || !state.networkIds.includes(networkId);
  return [
    // One that has never run looks its network up by name when it is started.
    ...(isOutside && state.status !== 'created' ? [{ kind: 'join_network', container } as const] : []),
    ...(isGateClosed ? [{ kind: 'open_gate', container } as const] : []),
    ...(state.status === 'paused' ? [{ kind: 'unpause', container } as const] : []),
    ...(state.status === 'exited' || state.status === 'created'
      ? [{ kind: 'start', container } as const]
      : []),
    // What the check of a closed gate tells is no fault of its own.
    ...(state.status === 'running' && !isGateClosed ? checkRepairs(container, now) : []),
    ...(state.restartPolicy === 'always' ? [] : [{ kind: 'keep_restarting', container } as const]),
  ];
}

/** Without a check that tells Docker of it, it has no route. */
function checkRepairs(container: SeenContainer, now: number): Repair[] {
  const { health, startedAt } = container.state;
  // Whoever paused it began its check anew, which may be holding without having told Docker anything.
  if (health === 'unhealthy') return [{ kind: 'end_hold', container }];
  // A daemon that was restarted under it may have forgotten its check (moby#41871).
  const isStalled = health === 'starting' && now - Date.parse(startedAt) > CHECK_STALLED_AFTER_MS;
  return isStalled ? [{ kind: 'restart_check', container }] : [];
}

const BEST = ['running', 'restarting', 'paused', 'exited', 'created', 'dead', 'removing'] as const;

function bestFirst(a: SeenContainer, b: SeenContainer): number {
  return BEST.indexOf(a.state.status) - BEST.indexOf(b.state.status);
}
