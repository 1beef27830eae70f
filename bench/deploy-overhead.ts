import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { nodeApp } from '../test/support/fixture-apps.ts';
import { httpRequest } from '../test/support/http-request.ts';
import type { Platform } from '../test/support/platform.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import { type Bench, type BenchResult, median, seconds } from './bench.ts';

const REPETITIONS = 6;
const ASK_EVERY_MS = 10;
const run = promisify(execFile);

/** From POST /deploy to the first answer of the new release, beside the same by hand, in turns on one repository. */
export const deployOverhead: Bench = {
  name: 'overhead',
  title: 'A redeploy beside git clone, docker build, docker run, wait for 200',
  async run({ startPlatform, nodeImage, say }) {
    const platform = await startPlatform();
    try {
      const version = (release: string) => nodeApp(nodeImage, { release });
      const repository = await platform.createRepository('shop', version('v0'));
      const { app } = await platform.createLiveApp({
        name: 'shop',
        repo_url: repository.url,
        port: 3000,
        health_check_path: '/health',
      });
      const ours: number[] = [];
      const byHand: number[] = [];
      const deploy = async (release: string) => {
        await repository.commit(version(release));
        const startedAt = performance.now();
        const { id } = await platform.api.deploy(app.id);
        await answerOf(release, { port: platform.httpPort, host: 'shop.localhost' });
        ours.push(performance.now() - startedAt);
        await platform.waitForEndOfDrain(id);
        say(await stepTimes(platform, id));
      };
      const script = async (release: string) => {
        await repository.commit(version(release));
        byHand.push((await deployByHand(repository.url, release, platform.instance)).total);
      };
      for (let count = 1; count <= REPETITIONS; count++) {
        // In turns, each first as often: neither has the warmer cache.
        const pair = [() => deploy(`p${count}`), () => script(`h${count}`)];
        for (const one of count % 2 === 0 ? pair.reverse() : pair) await one();
        say(`ours ${seconds(ours.at(-1) ?? 0)}, by hand ${seconds(byHand.at(-1) ?? 0)}`);
      }
      return report(ours, byHand);
    } finally {
      await platform.close();
    }
  },
};

function report(ours: readonly number[], byHand: readonly number[]): BenchResult {
  const overhead = median(ours) - median(byHand);
  return {
    table: [
      ['', 'median', 'fastest', 'slowest'],
      ...(
        [
          ['ours', ours],
          ['by hand', byHand],
        ] as const
      ).map(([name, times]) => [
        name,
        seconds(median(times)),
        seconds(Math.min(...times)),
        seconds(Math.max(...times)),
      ]),
      ['overhead', seconds(overhead), '', ''],
    ],
    notes: [
      `${ours.length} of each in turns, every one of a new commit, classic builder, the base layers cached.`,
    ],
    goal: { text: 'overhead ≤ 1.0 s', reached: overhead <= 1_000 },
  };
}

/** Where the time went: the steps with their milliseconds. */
async function stepTimes(platform: Platform, deploymentId: string): Promise<string> {
  const steps = await platform.prisma.stepRun.findMany({
    where: { deploymentId },
    orderBy: { startedAt: 'asc' },
  });
  return steps
    .map(
      ({ step, startedAt, endedAt }) =>
        `${step} ${(endedAt?.getTime() ?? Number.NaN) - startedAt.getTime()} ms`,
    )
    .join(', ');
}

export async function answerOf(release: string, from: { port: number; host: string }): Promise<void> {
  await waitUntil(
    `an answer of ${release}`,
    () =>
      httpRequest({ ...from, path: '/', timeoutMs: 2_000 }).then(
        ({ status, body }) => status === 200 && body.includes(`"${release}"`),
        () => false,
      ),
    { timeoutMs: 60_000, intervalMs: ASK_EVERY_MS },
  );
}

/** @returns milliseconds, of `docker build` and of all; what it made is removed after the clock has stopped */
export async function deployByHand(
  url: string,
  release: string,
  instance: string,
): Promise<{ build: number; total: number }> {
  const folder = await mkdtemp('/tmp/berth-bench-');
  const label = `berth.instance=${instance}`;
  const tag = `berth-bench/shop:${release}`;
  // The same builder as ours.
  const environment = { PATH: process.env['PATH'], DOCKER_BUILDKIT: '0', HOME: folder };
  const docker = async (...args: string[]) => (await run('docker', args, { env: environment })).stdout.trim();
  let container = '';
  try {
    const startedAt = performance.now();
    await run('git', ['clone', '--quiet', '--depth', '1', url, `${folder}/shop`], { env: environment });
    const clonedAt = performance.now();
    await docker('build', '--quiet', '--label', label, '--tag', tag, `${folder}/shop`);
    const build = performance.now() - clonedAt;
    container = await docker(
      'run',
      '--detach',
      '--label',
      label,
      '--env',
      'PORT=3000',
      '--publish',
      '127.0.0.1::3000',
      tag,
    );
    const port = Number((await docker('port', container, '3000/tcp')).split(':').at(-1));
    await answerOf(release, { port, host: 'shop.localhost' });
    return { build, total: performance.now() - startedAt };
  } finally {
    if (container !== '') await docker('rm', '--force', container);
    await docker('rmi', '--force', tag).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}
