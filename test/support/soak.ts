import { setTimeout as delay } from 'node:timers/promises';
import type { FakeGithub } from './fake-github.ts';
import { describeProbes, IdentityProbes, longestGapMs, type Probe } from './identity-probes.ts';
import type { Platform } from './platform.ts';
import type { PrivateDocker } from './private-docker.ts';
import { Chaos } from './soak/chaos.ts';
import { makeForeignObjects } from './soak/foreign-objects.ts';
import { recordHolders } from './soak/holder-record.ts';
import { checkInvariants, SETTLING, type SoakScene } from './soak/invariants.ts';
import { SeededRandom } from './soak/seeded-random.ts';
import { makeSoakApps } from './soak/soak-apps.ts';
import { SoakLoad } from './soak/soak-load.ts';

export interface SoakParts {
  readonly platform: Platform;
  /** Of its own, and so is the database: both are restarted. */
  readonly daemon: PrivateDocker;
  readonly restartDatabase: () => Promise<void>;
  readonly github: FakeGithub;
  readonly busyboxImage: string;
  readonly say: (text: string) => void;
}

export interface SoakPlan {
  readonly seed: number;
  readonly apps: number;
  readonly requests: number;
  /** So long the requests come, and the kills. */
  readonly seconds: number;
  /** When all is calm again: nothing may stand still for so long before it has ended. */
  readonly stillSeconds: number;
}

export interface SoakReport {
  /** What was promised and is not so, one sentence each. */
  readonly violations: readonly string[];
  readonly kills: { readonly api: number; readonly worker: number };
  readonly accepted: number;
  readonly cancels: number;
  /** Deployments by the code they failed with, or the status they ended in. */
  readonly endings: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly settledAfterMs: number;
  readonly probes: number;
  /** Of them those without an answer while Traefik had no routes, around the restart of dockerd. */
  readonly unrouted: number;
  readonly longestGapMs: number;
}

/** So often each app is asked who it is. */
const PROBES_PER_SECOND = 2;

/**
 * Traefik asks for each container by itself whenever one starts or ends. Where dockerd goes in the middle of that, what
 * it could not ask for has no route any more, until it has connected anew (its docker provider's `listContainers`, up
 * to 3.6.12 at least). Measured: 1.1 to 1.5 s, in 7 of 8 restarts while containers came and went all the time. Its
 * pauses between two tries grow by half each time, give or take half: after a long absence the next one may come as late
 * again as dockerd was away.
 */
function traefikReconnectsWithinMs({ from, to }: Span): number {
  return Math.max(5_000, to - from);
}

/** A seed that one may give again; random when none is given. */
export function chooseSeed(given: string | undefined): number {
  return given === undefined || given === '' ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

/**
 * Nothing is lost and nothing is stuck: requests come while API and workers are killed all the time, and Docker and
 * Postgres restarted once each. Then all is calm, and what was promised (I1–I9) is looked at, one by one.
 */
export async function runSoak(parts: SoakParts, plan: SoakPlan): Promise<SoakReport> {
  const { platform, daemon, busyboxImage, say } = parts;
  const { prisma } = platform;
  say(`soak: seed ${plan.seed}`);
  const foreign = await makeForeignObjects(daemon.docker, { platform, busyboxImage });
  const apps = await makeSoakApps(platform, { ...parts, count: plan.apps });
  await recordHolders(prisma);
  const probes = new IdentityProbes({ port: platform.httpPort, perSecond: PROBES_PER_SECOND });
  for (const { app, host } of apps) probes.watch(host, app.name);
  say(`soak: ${plan.apps} apps are live`);

  // Numbers of their own for each, for their order in time is not of our choosing.
  const load = new SoakLoad({ platform, busyboxImage, random: new SeededRandom(plan.seed) });
  const chaos = new Chaos(platform, new SeededRandom(plan.seed + 1));
  chaos.begin();
  const [, daemonRestart] = await Promise.all([load.run(apps, plan), restartBoth(parts, plan)]);
  await chaos.end();
  say(`soak: all is asked for, ${JSON.stringify(chaos.kills)} kills, now it is calm`);

  const calmAt = performance.now();
  const scene = { platform, daemon, apps, load, foreign };
  await settle(scene, plan.stillSeconds * 1000);
  const settledAfterMs = performance.now() - calmAt;
  await probes.stop();
  const asked = probes.since(0);
  const unrouted = asked.filter((probe) => isUnrouted(probe, daemonRestart));
  const wrong = describeProbes(asked.filter((probe) => !isUnrouted(probe, daemonRestart)));
  const violations = [
    ...(wrong === '' ? [] : [`I3 an app was without its answer:\n${wrong}`]),
    ...(await checkInvariants(scene)),
  ];
  await foreign.remove();
  return {
    violations,
    kills: chaos.kills,
    accepted: load.accepted.length + load.delivered.length,
    cancels: load.cancels,
    endings: await endings(parts),
    attempts: await prisma.deploymentAttempt.count(),
    settledAfterMs,
    probes: asked.length,
    unrouted: unrouted.length,
    longestGapMs: longestGapMs(asked),
  };
}

/** However much there is to do: as long as it gets less, nothing is stuck. */
async function settle(scene: SoakScene, stillMs: number): Promise<void> {
  for (const check of SETTLING) {
    let fewest = Number.POSITIVE_INFINITY;
    for (let movedAt = performance.now(); fewest > 0; await delay(500)) {
      const { length } = await check(scene);
      if (length < fewest) movedAt = performance.now();
      fewest = Math.min(fewest, length);
      if (performance.now() - movedAt > stillMs) return;
    }
  }
}

/** In milliseconds of this process's clock. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Docker after a third of the time, Postgres after two. @returns while dockerd ended and came back */
async function restartBoth({ daemon, restartDatabase, say }: SoakParts, plan: SoakPlan): Promise<Span> {
  const random = new SeededRandom(plan.seed + 2);
  await delay((plan.seconds * 1000) / 3);
  const signal = random.pick(['SIGTERM', 'SIGKILL'] as const);
  const from = performance.now();
  await daemon.restart(signal);
  const to = performance.now();
  say(`soak: dockerd restarted by ${signal}`);
  await delay((plan.seconds * 1000) / 3);
  await restartDatabase();
  say('soak: Postgres restarted');
  return { from, to };
}

/** The platform's own page was there instead of the app, or nothing at all while the API was killed as well. */
function isUnrouted({ outcome, startedAt, endedAt }: Probe, daemonRestart: Span): boolean {
  return (
    outcome === 'lost' &&
    endedAt >= daemonRestart.from &&
    startedAt <= daemonRestart.to + traefikReconnectsWithinMs(daemonRestart)
  );
}

async function endings({ platform }: SoakParts): Promise<Record<string, number>> {
  const groups = await platform.prisma.deployment.groupBy({ by: ['status', 'failureCode'], _count: true });
  return Object.fromEntries(groups.map(({ status, failureCode, _count }) => [failureCode ?? status, _count]));
}
