import { newId } from '../internal/db/ids.ts';
import { releaseConfigOf, sealSnapshot } from '../internal/deployments/config-snapshot.ts';
import { storeEnvironment } from '../internal/envvars/env-var-store.ts';
import { SealedBox } from '../internal/secrets/sealed-box.ts';
import { Secret } from '../internal/secrets/secret.ts';
import type { Platform } from '../test/support/platform.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import type { Bench } from './bench.ts';

const APPS = 200;
/** Variables of each app, in its environment and in its release. */
const VARIABLES = 20;
const REQUESTS = 200;
/** Deployments of each app: a young installation, and one of years. */
const HISTORIES = [1, 100] as const;
const GOAL_MS = 50;

const LISTS = [
  ['all apps', `/apps?limit=${APPS}`],
  ['the first 50 apps', '/apps'],
  ['deployments of all apps, 50', '/deployments'],
  ['the failed ones, 50', '/deployments?status=failed'],
] as const;

/** Lists of an installation with many apps, each with a release whose sealed settings are held against the app's. */
export const benchListApps: Bench = {
  name: 'list',
  title: `Lists at the API with ${APPS} apps`,
  async run({ startPlatform, say }) {
    const platform = await startPlatform();
    try {
      await untilWorkerIsUp(platform);
      // It would find no containers for these releases and say so.
      await platform.worker.stop();
      const rows: string[][] = [['', 'deployments per app', 'median', '95 %', 'slowest']];
      let worst = 0;
      for (const history of HISTORIES) {
        say(`making ${APPS} apps with ${history} deployments each`);
        await makeApps(platform, history);
        await platform.apiServer.kill9();
        await platform.apiServer.start();
        const first = milliseconds(await timeOf(platform, LISTS[0][1]));
        rows.push([`${LISTS[0][0]}, the first time after a start`, String(history), first, '', '']);
        for (const [name, path] of LISTS) {
          const times = await measure(platform, path);
          const [median, high, slowest] = [0.5, 0.95, 1].map((share) => percentile(times, share));
          rows.push([name, String(history), ...[median, high, slowest].map(milliseconds)]);
          if (path === LISTS[0][1]) worst = Math.max(worst, high ?? 0);
        }
      }
      return {
        table: rows,
        notes: [
          `${REQUESTS} requests one after the other on loopback, each with its token, from sending to the last byte.`,
          `Each app has ${VARIABLES} variables, sealed one by one, and a live release whose settings are held against its own.`,
        ],
        goal: { text: `95 % of the lists of all apps < ${GOAL_MS} ms`, reached: worst < GOAL_MS },
      };
    } finally {
      await platform.prisma.app.deleteMany();
      await platform.prisma.worker.deleteMany();
      platform.worker.start();
      await untilWorkerIsUp(platform);
      await platform.close();
    }
  },
};

/** Asked to end before that, it would just be gone. */
function untilWorkerIsUp({ prisma }: Platform): Promise<unknown> {
  return waitUntil('the worker to be up', async () => (await prisma.worker.count()) > 0);
}

async function makeApps({ prisma, settings }: Platform, history: number): Promise<void> {
  await prisma.app.deleteMany();
  const box = new SealedBox(new Secret(settings['ENCRYPTION_KEY'] ?? ''));
  const project = await prisma.project.findFirstOrThrow();
  for (let index = 0; index < APPS; index += 1) {
    const name = `app-${index}`;
    const host = `${name}.localhost`;
    const app = await prisma.app.create({
      data: {
        id: newId(),
        projectId: project.id,
        name,
        repoUrl: `https://github.com/acme/${name}`,
        port: 3000,
        hosts: { create: { host, kind: 'generated' } },
      },
    });
    const liveId = newId();
    const variables = Array.from({ length: VARIABLES }, (_, place) => ({
      key: `VARIABLE_${String(place).padStart(2, '0')}`,
      value: `https://service-${place}.example.org/${name}`,
      scope: 'runtime' as const,
    }));
    await prisma.$transaction((tx) => storeEnvironment(tx, box, app.id, variables));
    const configSnapshot = sealSnapshot(box, liveId, releaseConfigOf(app, [host], variables));
    const common = { appId: app.id, trigger: 'push', branch: 'main', configSnapshot, port: 3000 } as const;
    await prisma.deployment.createMany({
      data: [
        ...Array.from({ length: history - 1 }, (_, place) => ({
          ...common,
          id: newId(),
          ...(place % 10 === 0
            ? { status: 'failed' as const, failureCode: 'build_failed' }
            : { status: 'retired' as const }),
        })),
        { ...common, id: liveId, status: 'live' },
      ],
    });
    await prisma.app.update({ where: { id: app.id }, data: { liveDeploymentId: liveId } });
  }
  await prisma.$executeRaw`ANALYZE`;
}

async function measure(platform: Platform, path: string): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < REQUESTS + 20; count += 1) times.push(await timeOf(platform, path));
  // The first ones warm up.
  return times.slice(20);
}

async function timeOf({ api }: Platform, path: string): Promise<number> {
  const startedAt = performance.now();
  const { status } = await api.send('GET', path);
  if (status !== 200) throw new Error(`${path} answered ${status}`);
  return performance.now() - startedAt;
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}

function milliseconds(value: number | undefined): string {
  return `${(value ?? 0).toFixed(1)} ms`;
}
