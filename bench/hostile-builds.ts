import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBusyboxImage } from '../test/support/base-image.ts';
import { nodeApp } from '../test/support/fixture-apps.ts';
import { startLoad } from '../test/support/load-client.ts';
import { judgeLoad } from '../test/support/load-report.ts';
import type { Platform } from '../test/support/platform.ts';
import type { Bench, BenchTools } from './bench.ts';

const RATE = 100;
const BASELINE_MS = 20_000;
/** So long each kind is measured, beginning with its deployment. */
const WINDOW_MS = 20_000;
const API_PAUSE_MS = 40;
const SIDE_BY_SIDE = 2;
const GOAL_API_MS = 500;
const GOAL_NEIGHBOUR_MS = 50;

/** What is scaled down is time and disk, so that the run is short; memory, CPUs and processes are what is usual. */
const SETTINGS = {
  BUILD_MEMORY_MB: '2048',
  BUILD_CPUS: '2',
  BUILD_PIDS: '512',
  BUILD_TIMEOUT_SECONDS: '30',
  BUILD_SILENCE_SECONDS: '20',
  BUILD_DISK_MB: '256',
  WORKER_CONCURRENCY: String(SIDE_BY_SIDE),
};

const KINDS = [
  ['allocates', 'exec tail /dev/zero', 'build_out_of_memory'],
  ['forks', 'bomb() { bomb | bomb & }; bomb; sleep 1000', 'build_too_many_processes'],
  [
    'fills the disk',
    'i=0; while dd if=/dev/zero of=/f$i bs=1M count=64; do i=$((i+1)); done',
    'build_disk_exceeded',
  ],
  ['computes', 'while :; do :; done & while :; do :; done & while :; do :; done', 'build_silent'],
  ['sleeps silently', 'sleep 1000', 'build_silent'],
  ['talks', 'while :; do echo still here; done', 'build_timeout'],
] as const;

/** A8: what a neighbour's visitors and users of the API notice of builds that take all they can get. */
export const hostileBuilds: Bench = {
  name: 'hostile-builds',
  title: `A neighbour (${RATE} requests/s) and the API while ${SIDE_BY_SIDE} hostile builds run side by side`,
  async run({ startPlatform, nodeImage, say }) {
    const busybox = await ensureBusyboxImage();
    const platform = await startPlatform(SETTINGS);
    try {
      const neighbour = await platform.createRepository('neighbour', nodeApp(nodeImage, { release: 'v0' }));
      await platform.createLiveApp({
        name: 'neighbour',
        repo_url: neighbour.url,
        port: 3000,
        health_check_path: '/health',
      });
      // Whoever measures must not be the one that waits.
      setPriority(-10);
      const baseline = await measure(platform, () => delay(BASELINE_MS));
      const rows = [describe('none', '', baseline)];
      const worst = { neighbour: 0, api: 0, isAsExpected: true };
      for (const [kind, command, expected] of KINDS) {
        say(kind);
        let outcomes: Outcome[] = [];
        const seen = await measure(platform, async () => {
          const building = hostileDeployments(platform, { kind, command, busybox });
          const [ended] = await Promise.all([building, delay(WINDOW_MS)]);
          outcomes = ended;
        });
        const codes = [...new Set(outcomes.map(({ code }) => code))].join(', ');
        const longest = Math.max(...outcomes.map(({ seconds }) => seconds));
        rows.push(describe(kind, `${codes} after ${longest.toFixed(1)} s`, seen));
        worst.neighbour = Math.max(worst.neighbour, seen.lost > 0 ? Number.POSITIVE_INFINITY : seen.p99);
        worst.api = Math.max(worst.api, seen.apiP95);
        worst.isAsExpected &&= codes === expected;
      }
      const allowed = Math.max(2 * baseline.p99, GOAL_NEIGHBOUR_MS);
      return {
        table: [['builds', 'end', 'neighbour p50', 'p99', 'max', 'lost', 'API p95', 'max'], ...rows],
        notes: [
          `Limits: ${Object.entries(SETTINGS)
            .map(([name, value]) => `${name}=${value}`)
            .join(' ')}.`,
          'The load client and the one that asks the API run at a higher priority than all else.',
        ],
        goal: {
          text: `each fails with its own code, neighbour's p99 < ${allowed.toFixed(0)} ms (twice the baseline, at least ${GOAL_NEIGHBOUR_MS} ms) and nothing lost, API p95 < ${GOAL_API_MS} ms`,
          reached: worst.isAsExpected && worst.neighbour < allowed && worst.api < GOAL_API_MS,
        },
      };
    } finally {
      setPriority(0);
      await platform.close();
    }
  },
};

type TestedPlatform = Awaited<ReturnType<BenchTools['startPlatform']>>;

interface Outcome {
  readonly code: string;
  readonly seconds: number;
}

async function hostileDeployments(
  platform: TestedPlatform,
  { kind, command, busybox }: { kind: string; command: string; busybox: string },
): Promise<Outcome[]> {
  const names = Array.from({ length: SIDE_BY_SIDE }, (_, index) => `${kind.replaceAll(' ', '-')}-${index}`);
  return Promise.all(
    names.map(async (name) => {
      const repository = await platform.createRepository(name, {
        Dockerfile: `FROM ${busybox}\nRUN : ${name}; ${command}\n`,
      });
      const startedAt = performance.now();
      const app = await platform.api.createApp({ name, repo_url: repository.url });
      const [first] = await platform.api.deployments(app.id);
      const ended = await platform.waitForStatus(first?.id ?? '', 'failed', 120_000);
      return { code: ended.failure_code ?? '', seconds: (performance.now() - startedAt) / 1000 };
    }),
  );
}

interface Seen {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly lost: number;
  readonly apiP95: number;
  readonly apiMax: number;
}

/** What visitors and users notice while that goes on. */
async function measure(platform: Platform, during: () => Promise<unknown>): Promise<Seen> {
  const load = await startLoad({
    port: platform.httpPort,
    host: 'neighbour.localhost',
    path: '/',
    ratePerSecond: RATE,
    maxSeconds: 300,
  });
  const stop = new AbortController();
  const asking = askApi(platform, stop.signal);
  await during();
  stop.abort();
  const times = (await asking).toSorted((a, b) => a - b);
  const { latency, lost } = judgeLoad(await load.stop(), ['v0']);
  return {
    ...latency,
    lost: lost.length,
    apiP95: times[Math.floor(times.length * 0.95)] ?? 0,
    apiMax: times.at(-1) ?? 0,
  };
}

async function askApi({ api }: Platform, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    const startedAt = performance.now();
    await api.apps();
    times.push(performance.now() - startedAt);
    await delay(API_PAUSE_MS);
  }
  return times;
}

function describe(builds: string, end: string, seen: Seen): string[] {
  const times = [seen.p50, seen.p99, seen.max].map((time) => `${time.toFixed(1)} ms`);
  const api = [seen.apiP95, seen.apiMax].map((time) => `${time.toFixed(1)} ms`);
  return [builds, end, ...times, String(seen.lost), ...api];
}
