import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
const HISTORY_MB = 240;
const SOURCES = 5000;
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

/** A repository as large ones are: thousands of source files, and a history of many times their size. */
export const cloneTwice: Bench = {
  name: 'clone',
  title: 'The first and the second clone of a repository with a long history',
  async run({ folder, say }) {
    const repository = await createGitRepository(sources('v0'));
    const server = await serveGit(repository.folder);
    const scene = { repository, server, folder };
    try {
      for (let megabyte = 0; megabyte < HISTORY_MB; megabyte += 2) {
        await repository.commit({ 'assets/video': randomBytes(2 * MB) }, `Change ${megabyte}`);
      }
      // As hosts keep repositories.
      await repository.git('repack', '-a', '-d', '-b', '-q');
      const rounds: Round[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        rounds.push(await measureRound(scene, round));
        say(JSON.stringify(rounds.at(-1)));
      }
      return report(rounds, await packMegabytes(repository));
    } finally {
      await server.close();
      await repository.remove();
    }
  },
};

/** Two lines in five are of the file's own; the rest is what sources have in common. */
function sources(version: string): Files {
  const files: Record<string, string> = {};
  for (let n = 0; n < SOURCES; n += 1) {
    const lines = Array.from({ length: 100 }, (_, line) =>
      line % 5 < 2
        ? `export const ${randomBytes(12).toString('hex')} = '${randomBytes(18).toString('base64')}';`
        : `  return await this.#store.findMany({ where: { id: ${line} }, orderBy: 'name' });`,
    );
    files[`src/part${n % 50}/module${n}.ts`] = `// ${version}\n${lines.join('\n')}\n`;
  }
  return files;
}

async function measureRound(scene: Scene, round: number): Promise<Round> {
  const { repository, server, folder } = scene;
  const url = server.url(repository.name);
  const own = mkdtempSync(join(folder, 'round-'));
  try {
    const whole = await timed(() => run('git', ['clone', '--quiet', url, join(own, 'whole')]));
    const shallow = await timed(() =>
      run('git', ['clone', '--quiet', '--depth=1', url, join(own, 'shallow')]),
    );
    const clone = cloner(scene, own);
    const first = await timed(() => clone('first'));
    await repository.commit(
      { 'src/part1/module1.ts': `// round ${round}\n`, [`src/new${round}.ts`]: 'export {};\n' },
      `Round ${round}`,
    );
    const second = await timed(() => clone('second'));
    return { whole, shallow, first, second };
  } finally {
    rmSync(own, { recursive: true });
  }
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

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function packMegabytes(repository: GitRepository): Promise<number> {
  const counts = await repository.git('count-objects', '-v');
  return Number(/size-pack: (\d+)/.exec(counts)?.[1] ?? 0) / 1024;
}

function report(rounds: readonly Round[], megabytes: number): BenchResult {
  const of = (name: keyof Round) => median(rounds.map((round) => round[name]));
  const second = of('second');
  const row = (what: string, name: keyof Round) => [
    what,
    seconds(of(name)),
    `${((100 * second) / of(name)).toFixed(0)} %`,
  ];
  return {
    table: [
      ['', 'median', 'the second clone takes of it'],
      row('git clone', 'whole'),
      row('git clone --depth=1', 'shallow'),
      row('first clone of an app', 'first'),
      row('second clone, two files changed', 'second'),
    ],
    notes: [
      `${megabytes.toFixed(0)} MB of packed history, ${SOURCES} source files, over HTTP on loopback; ${rounds.length} rounds, each with a new mirror.`,
    ],
    goal: {
      text: `second clone ≤ ${100 * GOAL} % of the time of a whole clone`,
      reached: second <= GOAL * of('whole'),
    },
  };
}
