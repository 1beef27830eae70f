import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, type BenchTools, median } from './bench.ts';

const REPETITIONS = 20;

/** From the row of a deployment to its claim, by the database's clock: with NOTIFY, and by polling alone. */
export const pickupTime: Bench = {
  name: 'pickup',
  title: 'How soon a worker takes a deployment',
  async run(tools) {
    const withNotify = await pickupTimes(tools, {});
    const byPolling = await pickupTimes(tools, { QUEUE_NOTIFY: 'false' });
    const row = (name: string, times: readonly number[]) => [
      name,
      ...[median(times), Math.max(...times)].map((time) => `${time.toFixed(0)} ms`),
    ];
    return {
      table: [['', 'median', 'slowest'], row('NOTIFY', withNotify), row('polling every 2000 ms', byPolling)],
      notes: [`${REPETITIONS} of each.`],
      goal: { text: 'polling alone ≤ 2.5 s', reached: Math.max(...byPolling) <= 2_500 },
    };
  },
};

async function pickupTimes(
  { startPlatform, nodeImage, say }: BenchTools,
  settings: Readonly<Record<string, string>>,
): Promise<number[]> {
  const platform = await startPlatform(settings);
  try {
    // A branch that is not there ends the deployment as soon as it was taken.
    const repository = await platform.createRepository('shop', { Dockerfile: `FROM ${nodeImage}\n` });
    const app = await platform.api.createApp({
      name: 'shop',
      repo_url: repository.url,
      branch: 'nowhere',
      deploy: false,
    });
    const times: number[] = [];
    // The first one may find the worker still at its start: it does not count.
    for (let count = 0; count <= REPETITIONS; count++) {
      // At any moment of the poll's period.
      await delay(Math.random() * 2_000);
      const { id } = await platform.api.deploy(app.id);
      await platform.waitForStatus(id, 'failed');
      const row = await platform.prisma.deployment.findUniqueOrThrow({
        where: { id },
        include: { attempts: true },
      });
      const taken = row.attempts[0]?.startedAt.getTime() ?? Number.NaN;
      if (count > 0) times.push(taken - row.createdAt.getTime());
    }
    say(`${JSON.stringify(settings)}: ${times.join(' ')} ms`);
    return times;
  } finally {
    await platform.close();
  }
}
