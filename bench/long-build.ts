import { nodeApp, nodeAppWith, type RepositoryFiles } from '../test/support/fixture-apps.ts';
import type { Platform } from '../test/support/platform.ts';
import { type Bench, median, seconds } from './bench.ts';
import { answerOf, deployByHand } from './deploy-overhead.ts';

const ROUNDS = 3;
const LEAST_BUILD_MS = 20_000;
const GOAL = 0.05;

/** Work of a known amount, for the processor and the disk: a build that waits would hide what is added to it. */
const WORK = [
  'const { createHash } = require("node:crypto");',
  'const { openSync, writeSync, fsyncSync, closeSync } = require("node:fs");',
  'const { deflateSync } = require("node:zlib");',
  'const block = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => (at * 2654435761) >>> 24));',
  'const file = openSync("/made", "w");',
  'for (let count = 0; count < 4400; count += 1) {',
  '  block.writeUInt32LE(count);',
  '  createHash("sha256").update(block).digest();',
  '  deflateSync(block, { level: 6 });',
  '  if (count % 4 === 0) writeSync(file, block);',
  '}',
  'fsyncSync(file);',
  'closeSync(file);',
].join('\n');

/** The share that a whole deployment adds to a build of over 20 s, in turns with the same by hand. */
export const longBuild: Bench = {
  name: 'long-build',
  title: 'A whole deployment beside plain docker build, of a build over 20 s',
  async run({ startPlatform, nodeImage, say }) {
    const platform = await startPlatform();
    try {
      const version = (release: string) => working(nodeImage, release);
      const repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v0' }));
      const { app } = await platform.createLiveApp({
        name: 'shop',
        repo_url: repository.url,
        port: 3000,
        health_check_path: '/health',
      });
      const ours: number[] = [];
      const steps: number[] = [];
      const builds: number[] = [];
      const scripts: number[] = [];
      const deploy = async (release: string) => {
        await repository.commit(version(release));
        const startedAt = performance.now();
        const { id } = await platform.api.deploy(app.id);
        await answerOf(release, { port: platform.httpPort, host: 'shop.localhost' });
        ours.push(performance.now() - startedAt);
        steps.push(await buildingTime(platform, id));
        await platform.waitForEndOfDrain(id);
      };
      const byHand = async (release: string) => {
        await repository.commit(version(release));
        const { build, total } = await deployByHand(repository.url, release, platform.instance);
        builds.push(build);
        scripts.push(total);
      };
      for (let count = 1; count <= ROUNDS; count += 1) {
        const pair = [() => deploy(`p${count}`), () => byHand(`h${count}`)];
        for (const one of count % 2 === 0 ? pair.reverse() : pair) await one();
        say(`ours ${seconds(ours.at(-1) ?? 0)}, docker build ${seconds(builds.at(-1) ?? 0)}`);
      }
      const over = (times: readonly number[], plain: readonly number[]) => median(times) / median(plain) - 1;
      const inBuild = over(steps, builds);
      const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
      const row = (name: string, times: readonly number[], share: string) => [
        name,
        seconds(median(times)),
        seconds(Math.min(...times)),
        seconds(Math.max(...times)),
        share,
      ];
      return {
        table: [
          ['', 'median', 'fastest', 'slowest', 'longer by'],
          row('git clone, docker build, docker run, first 200', scripts, ''),
          row('ours, from the request to the first answer', ours, percent(over(ours, scripts))),
          row('plain docker build', builds, ''),
          row('our build', steps, percent(inBuild)),
        ],
        notes: [`${ROUNDS} of each in turns, every one of a new commit, classic builder.`],
        goal: {
          text: 'our build takes at most 5 % longer than plain docker build, where that takes over 20 s',
          reached: median(builds) > LEAST_BUILD_MS && inBuild <= GOAL,
        },
      };
    } finally {
      await platform.close();
    }
  },
};

async function buildingTime(platform: Platform, deploymentId: string): Promise<number> {
  const { startedAt, endedAt } = await platform.prisma.stepRun.findFirstOrThrow({
    where: { deploymentId, step: 'building' },
  });
  return (endedAt?.getTime() ?? Number.NaN) - startedAt.getTime();
}

/** The step stands after the sources, so that it is run each time. */
function working(nodeImage: string, release: string): RepositoryFiles {
  const lines = ['RUN node work.cjs && rm /made'];
  return { ...nodeAppWith(nodeImage, { release }, lines), 'work.cjs': WORK };
}
