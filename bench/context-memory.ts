import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBusyboxImage } from '../test/support/base-image.ts';
import type { Platform } from '../test/support/platform.ts';
import type { TestRepository } from '../test/support/test-git.ts';
import { type Bench, seconds } from './bench.ts';

const FILE_MB = 64;
const SIZES_MB = [64, 512, 2048];
/** What a context of 32 times the size may take beside the smallest. */
const GOAL_MB = 32;
const LOOK_EVERY_MS = 20;
const LIMIT_MS = 300_000;

/** The worker's memory while it sends a context to Docker, which must not hang on its size. */
export const contextMemory: Bench = {
  name: 'context',
  title: 'Memory of the worker while it packs a context',
  async run({ startPlatform, say }) {
    const platform = await startPlatform({ CONTEXT_MAX_MB: '4096', CLONE_MAX_MB: '4096' });
    try {
      const busybox = await ensureBusyboxImage();
      const repository = await platform.createRepository('large', { Dockerfile: `FROM ${busybox}\n` });
      const app = await platform.api.createApp({ name: 'large', repo_url: repository.url, deploy: false });
      const rows: { megabytes: number; before: number; most: number; packing: number }[] = [];
      for (const megabytes of SIZES_MB) {
        await grow(repository, busybox, megabytes);
        rows.push({ megabytes, ...(await measure(platform, app.id)) });
        const { before, most } = rows.at(-1) ?? { before: 0, most: 0 };
        say(`${megabytes} MB: ${before} MB before, ${most} MB at most`);
      }
      const growths = rows.map(({ before, most }) => most - before);
      const more = (growths.at(-1) ?? 0) - (growths[0] ?? 0);
      return {
        table: [
          ['context', 'before', 'at most while it is sent', 'growth', 'time of the step'],
          ...rows.map(({ megabytes, before, most, packing }) => [
            `${megabytes} MB`,
            `${before} MB`,
            `${most} MB`,
            `${most - before} MB`,
            seconds(packing),
          ]),
        ],
        notes: [
          `Resident memory (RSS) of the worker, looked at every ${LOOK_EVERY_MS} ms; before: at the end of the clone. Files of ${FILE_MB} MB.`,
        ],
        goal: {
          text: `the growth at ${SIZES_MB.at(-1)} MB at most ${GOAL_MB} MB over that at ${SIZES_MB[0]} MB`,
          reached: more <= GOAL_MB,
        },
      };
    } finally {
      await platform.close();
    }
  },
};

/** The same content under many names: Git keeps it once, the work tree and the context as often as it is there. */
async function grow(repository: TestRepository, busybox: string, megabytes: number): Promise<void> {
  const content = 'x'.repeat(FILE_MB * 1024 * 1024);
  for (let at = 0; at < megabytes / FILE_MB; at += 1) await repository.commit({ [`part-${at}`]: content });
  // It fails: what is measured is done by then.
  await repository.commit({ Dockerfile: `FROM ${busybox}\nRUN echo ${megabytes} && exit 1\n` });
}

async function measure(platform: Platform, appId: string) {
  const { id } = await platform.api.deploy(appId);
  await platform.waitForStep(id, 'building', LIMIT_MS);
  const startedAt = performance.now();
  const before = residentMb(platform.worker.pid());
  let most = before;
  for (const late = startedAt + LIMIT_MS; ; ) {
    most = Math.max(most, residentMb(platform.worker.pid()));
    const { finishedAt } = await platform.prisma.deployment.findUniqueOrThrow({ where: { id } });
    if (finishedAt !== null) return { before, most, packing: performance.now() - startedAt };
    if (performance.now() > late) throw new Error(await platform.explain(id));
    await delay(LOOK_EVERY_MS);
  }
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}
