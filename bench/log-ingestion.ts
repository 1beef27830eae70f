import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RepositoryFiles } from '../test/support/fixture-apps.ts';
import type { Platform } from '../test/support/platform.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import { type Bench, median } from './bench.ts';
import { LiveReader, type ReadLine } from './live-reader.ts';

const BUILD_LINES = 200_000;
/** Within the burst that is kept of an app. */
const RUNTIME_LINES = 90_000;
const STEADY_SECONDS = 20;

const GOAL_LINES = 20_000;
const GOAL_BEHIND_MS = 200;

/** The whole way of a line: build or container → worker → Postgres → API → a reader of server-sent events. */
export const logIngestion: Bench = {
  name: 'logs',
  title: 'How fast logs are stored, and how far a live reader is behind',
  async run({ startPlatform, nodeImage }) {
    const platform = await startPlatform();
    try {
      const build = await loudBuild(platform, nodeImage);
      const burst = await loudContainer(platform, nodeImage);
      const steady = await steadyApp(platform, nodeImage);
      const row = (name: string, rate: number | null, behind: readonly number[]) => [
        name,
        rate === null ? '' : `${Math.round(rate).toLocaleString('en')}`,
        ...[median(behind), quantile(behind, 0.99), quantile(behind, 1)].map(
          (time) => `${Math.round(time)} ms`,
        ),
      ];
      const reached =
        build.rate >= GOAL_LINES && burst.rate >= GOAL_LINES && quantile(steady, 0.99) <= GOAL_BEHIND_MS;
      return {
        table: [
          ['', 'lines/s stored', 'reader behind, median', 'p99', 'most'],
          row(`a build of ${BUILD_LINES.toLocaleString('en')} lines at once`, build.rate, build.behind),
          row(
            `a container with ${RUNTIME_LINES.toLocaleString('en')} lines at once`,
            burst.rate,
            burst.behind,
          ),
          row('an app with 200 lines/s', null, steady),
        ],
        notes: [
          'Behind: from the moment a line is stored (build), or written by the program as Docker notes it (container, app), to its arrival at the reader. Of a container that writes all at once, that is the time the rest takes to be stored.',
          `The worker took at most ${build.workerGrowthMb} MB more memory during the build than before it.`,
        ],
        goal: {
          text: `≥ ${GOAL_LINES.toLocaleString('en')} lines/s stored, a reader of a steady app ≤ ${GOAL_BEHIND_MS} ms behind (p99)`,
          reached,
        },
      };
    } finally {
      await platform.close();
    }
  },
};

async function loudBuild(platform: Platform, nodeImage: string) {
  // The time in it: a step that Docker has in its cache says nothing.
  const repository = await platform.createRepository('loud', {
    Dockerfile: `FROM ${nodeImage}\nRUN : ${Date.now()}; seq 1 ${BUILD_LINES} | sed 's/$/ a line of a build, as long as lines are in ordinary life/'\nRUN exit 1\n`,
  });
  const app = await platform.api.createApp({ name: 'loud', repo_url: repository.url, deploy: false });
  const before = memory(platform.worker.pid(), 'VmRSS');
  const { id } = await platform.api.deploy(app.id);
  const reader = follow(platform, `/deployments/${id}/logs/stream`);
  try {
    await waitUntil('the end of the log', () => reader.hasEnded, { timeoutMs: 120_000 });
  } finally {
    reader.close();
  }
  const lines = numbered(reader, BUILD_LINES);
  return {
    rate: ratePerSecond(lines.map(({ at }) => at)),
    behind: behindOf(lines),
    workerGrowthMb: Math.max(0, memory(platform.worker.pid(), 'VmHWM') - before),
  };
}

async function loudContainer(platform: Platform, nodeImage: string) {
  const { app } = await liveApp(platform, nodeImage, {
    name: 'burst',
    script: `process.stdout.write(Array.from({ length: ${RUNTIME_LINES} }, (_, index) => (index + 1) + ' a line of an app, as long as lines are in ordinary life\\n').join(''));`,
  });
  const reader = follow(platform, `/apps/${app.id}/logs/stream`);
  try {
    await platform.http('burst.localhost', '/write');
    await waitUntil('all lines', () => reader.lines.length > RUNTIME_LINES, { timeoutMs: 60_000 });
  } finally {
    reader.close();
  }
  const lines = numbered(reader, RUNTIME_LINES);
  // By their arrival: the time of the line is that of its writing.
  return { rate: ratePerSecond(lines.map(({ receivedAt }) => receivedAt)), behind: behindOf(lines) };
}

async function steadyApp(platform: Platform, nodeImage: string): Promise<number[]> {
  const { app } = await liveApp(platform, nodeImage, {
    name: 'steady',
    script: `setInterval(() => console.log('tick'), 5);`,
  });
  await platform.http('steady.localhost', '/write');
  const reader = follow(platform, `/apps/${app.id}/logs/stream`);
  // What was written before is behind because the reader came late.
  await delay(2_000);
  const from = reader.lines.length;
  await delay(STEADY_SECONDS * 1000);
  reader.close();
  return behindOf(reader.lines.slice(from));
}

/** A live app that does `script` when `/write` is asked for. */
function liveApp(platform: Platform, nodeImage: string, app: { name: string; script: string }) {
  const files: RepositoryFiles = {
    Dockerfile: `FROM ${nodeImage}\nWORKDIR /app\nCOPY . .\nCMD ["node", "server.mjs"]\n`,
    'server.mjs': `import { createServer } from 'node:http';
createServer((request, response) => {
  response.end('ok');
  if (request.url === '/write') { ${app.script} }
}).listen(process.env.PORT);
`,
  };
  return platform.createRepository(app.name, files).then((repository) =>
    platform.createLiveApp({
      name: app.name,
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
    }),
  );
}

function follow(platform: Platform, path: string): LiveReader {
  const token = readFileSync(join(platform.dataDir, 'admin-token'), 'utf8').trim();
  return new LiveReader({ port: Number(platform.settings['PORT']), path: `/api/v1${path}`, token });
}

/** The lines that begin with a number; @throws when one is missing, doubled or out of order */
function numbered({ lines }: LiveReader, count: number): ReadLine[] {
  const found = lines.filter(({ text }) => /^\d+ a line of/.test(text));
  const wrong = found.findIndex(({ text }, index) => Number.parseInt(text, 10) !== index + 1);
  if (found.length !== count || wrong !== -1) {
    const end = lines.slice(-5).map(({ text }) => text);
    throw new Error(
      `${found.length} of ${count} lines came; the first wrong one is ${wrong}; …\n${end.join('\n')}`,
    );
  }
  return found;
}

function ratePerSecond(times: readonly number[]): number {
  const first = times[0] ?? 0;
  return (times.length / ((times.at(-1) ?? first) - first)) * 1000;
}

function behindOf(lines: readonly ReadLine[]): number[] {
  return lines.map(({ receivedAt, at }) => receivedAt - at);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** MB, of /proc/PID/status. */
function memory(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
}
