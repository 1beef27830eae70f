import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Line } from '../internal/engine/ports.ts';
import { GitCheckout } from '../internal/gitrepo/checkout.ts';
import { Mirrors } from '../internal/gitrepo/mirrors.ts';
import type { GitHttpServer } from '../internal/host/git-http-server.ts';
import { createLogger } from '../internal/logger/logger.ts';
import {
  createGitRepository,
  type Files,
  type GitRepository,
  serveGit,
} from '../test/support/git-repository.ts';
import { type Bench, type BenchResult, median, seconds } from './bench.ts';

const ROUNDS = 5;
const CHANGES = 120;
const SOURCES = 1000;
const GOAL = 0.1;
const MB = 1024 * 1024;
const run = promisify(execFile);

interface Scene {
  readonly repository: GitRepository;
  readonly server: GitHttpServer;
  readonly folder: string;
}
interface Round {
  readonly whole: number;
  readonly shallow: number;
  readonly first: number;
  readonly second: number;
}

interface Shape {
  readonly what: string;
  /** Where the bytes of a change go: again and again to the same file, or to one of its own that stays. */
  readonly assetOf: (change: number) => string;
}
const SHAPES: readonly Shape[] = [
  { what: 'history', assetOf: () => 'assets/video' },
  { what: 'all of it still there', assetOf: (change) => `assets/video${change}` },
];

/** Two repositories of one size: most of it is history, or all of it is in the last commit too. */
export const cloneTwice: Bench = {
  name: 'clone',
  title: 'The first and the second clone of a large repository',
  async run({ folder, say }) {
    const measured: Measured[] = [];
    for (const shape of SHAPES) measured.push(await measureShape(shape, folder, say));
    return report(measured);
  },
};

interface Measured {
  readonly shape: Shape;
  readonly rounds: readonly Round[];
  readonly megabytes: number;
}

async function measureShape(shape: Shape, folder: string, say: (text: string) => void): Promise<Measured> {
  const repository = await createGitRepository(sources());
  const server = await serveGit(repository.folder);
  try {
    for (let change = 0; change < CHANGES; change += 1) {
      await repository.commit({ [shape.assetOf(change)]: randomBytes(2 * MB) }, `Change ${change}`);
    }
    const scene = { repository, server, folder };
    const small: Omit<Round, 'whole'>[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      small.push(await measureRound(scene, round));
      say(`${shape.what}: ${JSON.stringify(small.at(-1))}`);
    }
    // Last, for they write the most.
    const rounds: Round[] = [];
    for (const times of small) rounds.push({ ...times, whole: await measureWhole(scene) });
    say(`${shape.what}, whole: ${rounds.map(({ whole }) => seconds(whole)).join(', ')}`);
    return { shape, rounds, megabytes: await packMegabytes(repository) };
  } finally {
    await server.close();
    await repository.remove();
  }
}

/** Two lines in five are of the file's own; the rest is what sources have in common. */
function sources(): Files {
  const files: Record<string, string> = {};
  for (let n = 0; n < SOURCES; n += 1) {
    const lines = Array.from({ length: 100 }, (_, line) =>
      line % 5 < 2
        ? `export const ${randomBytes(12).toString('hex')} = '${randomBytes(18).toString('base64')}';`
        : `  return await this.#store.findMany({ where: { id: ${line} }, orderBy: 'name' });`,
    );
    files[`src/part${n % 50}/module${n}.ts`] = `${lines.join('\n')}\n`;
  }
  return files;
}

async function measureWhole({ repository, server, folder }: Scene): Promise<number> {
  const whole = join(mkdtempSync(join(folder, 'whole-')), 'whole');
  return timed(() => run('git', ['clone', '--quiet', server.url(repository.name), whole]));
}

async function measureRound(scene: Scene, round: number): Promise<Omit<Round, 'whole'>> {
  const { repository, server, folder } = scene;
  const url = server.url(repository.name);
  const own = mkdtempSync(join(folder, 'round-'));
  // As hosts keep repositories; what a round adds makes the server slower for the next one otherwise.
  await repository.git('repack', '-a', '-d', '-b', '-q', '--window=1');
  const shallow = await timed(() => run('git', ['clone', '--quiet', '--depth=1', url, join(own, 'shallow')]));
  const clone = cloner(scene, own);
  const first = await timed(() => clone('first'));
  await repository.commit(
    { 'src/part1/module1.ts': `// round ${round}\n`, [`src/new${round}.ts`]: 'export {};\n' },
    `Round ${round}`,
  );
  const second = await timed(() => clone('second'));
  return { shallow, first, second };
}

function cloner({ repository, server }: Scene, folder: string): (deploymentId: string) => Promise<unknown> {
  const workDir = join(folder, 'work');
  mkdirSync(workDir);
  const checkouts = new GitCheckout({
    workDir,
    mirrors: new Mirrors(join(folder, 'mirrors')),
    allowedHosts: [],
    privateHosts: [server.host],
    timeoutSeconds: 300,
    maxMegabytes: 1024,
    logger: createLogger({ level: 'silent', process: 'worker' }),
  });
  const lines: string[] = [];
  return (deploymentId) =>
    checkouts.checkout(
      {
        deploymentId,
        attempt: 1,
        projectId: 'bench',
        repoUrl: server.url(repository.name),
        branch: 'main',
        commitSha: null,
        submodules: null,
        lfs: false,
        credential: { kind: 'none', why: 'other_host' },
      },
      { signal: new AbortController().signal, onLine: ({ text }: Line) => lines.push(text) },
    );
}

/**
 * What was written before is on the disk first. Nothing is deleted between two measurements: without a journal ext4 passes
 * over inodes that were deleted in the last minutes, one by one, which made each round slower than the one before.
 */
async function timed(work: () => Promise<unknown>): Promise<number> {
  await run('sync');
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function packMegabytes(repository: GitRepository): Promise<number> {
  const counts = await repository.git('count-objects', '-v');
  return Number(/size-pack: (\d+)/.exec(counts)?.[1] ?? 0) / 1024;
}

function report(measured: readonly Measured[]): BenchResult {
  const names = ['whole', 'shallow', 'first', 'second'] as const;
  const times = ({ rounds }: Measured) =>
    Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name]))]));
  const share = (part: number | undefined, of: number | undefined) => (part ?? 0) / (of ?? 1);
  const rows = measured.map((each) => {
    const { whole, shallow, first, second } = times(each);
    return [
      `${each.megabytes.toFixed(0)} MB, ${each.shape.what}`,
      ...[whole, shallow, first, second].map((time) => seconds(time ?? 0)),
      ...[first, whole].map((of) => `${(100 * share(second, of)).toFixed(0)} %`),
    ];
  });
  const [history] = measured.map(times);
  return {
    table: [
      ['', 'git clone', 'git clone --depth=1', 'our first', 'our second', 'of our first', 'of git clone'],
      ...rows,
    ],
    notes: [
      `Over HTTP on loopback; ${SOURCES} source files; two of them change between the first and the second; medians of ${ROUNDS} rounds, each with a new mirror.`,
      'The first clone of an app moves the last commit only, so it takes a part of what a whole clone does. What is left of the second is the start of Git and writing the work tree.',
    ],
    goal: {
      text: `second clone ≤ ${100 * GOAL} % of the time of cloning a long history whole`,
      reached: share(history?.['second'], history?.['whole']) <= GOAL,
    },
  };
}
