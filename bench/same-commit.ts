import { nodeApp } from '../test/support/fixture-apps.ts';
import { type Bench, median, seconds } from './bench.ts';
import { answerOf } from './deploy-overhead.ts';

const REPETITIONS = 5;

/** From the request to the status `live` of a commit that is on the machine as an image. */
export const sameCommit: Bench = {
  name: 'same-commit',
  title: 'The same commit again, from the request to live',
  async run({ startPlatform, nodeImage, say }) {
    const platform = await startPlatform();
    try {
      const repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v1' }));
      const { app, deployment } = await platform.createLiveApp({
        name: 'shop',
        repo_url: repository.url,
        port: 3000,
        health_check_path: '/health',
        drain_seconds: 1,
      });
      const time = async (input: Readonly<Record<string, unknown>>) => {
        const startedAt = performance.now();
        const { id } = await platform.api.deploy(app.id, input);
        await platform.waitForStatus(id, 'live');
        const took = performance.now() - startedAt;
        await answerOf('v1', { port: platform.httpPort, host: 'shop.localhost' });
        await platform.waitForEndOfDrain(id);
        const { image_reused_from: from } = await platform.api.deployment(id);
        if ((from === null) !== (input['no_cache'] === true)) throw new Error(`${id} has another image`);
        return took;
      };
      const ways = [
        ['its id is given: no clone, no build', { commit_sha: deployment.commit_sha }, [] as number[]],
        ['head of the branch: cloned to know it, no build', {}, [] as number[]],
        ['no_cache: cloned and built', { no_cache: true }, [] as number[]],
      ] as const;
      for (let count = 0; count < REPETITIONS; count += 1) {
        for (const [name, input, times] of ways) {
          times.push(await time(input));
          say(`${name}: ${seconds(times.at(-1) ?? 0)}`);
        }
      }
      return {
        table: [
          ['', 'median', 'fastest', 'slowest'],
          ...ways.map(([name, , times]) => [
            name,
            seconds(median(times)),
            seconds(Math.min(...times)),
            seconds(Math.max(...times)),
          ]),
        ],
        notes: [`${REPETITIONS} of each in turns; the app listens at once and has a health check path.`],
        goal: null,
      };
    } finally {
      await platform.close();
    }
  },
};
