import { nodeApp } from '../test/support/fixture-apps.ts';
import { startLoad } from '../test/support/load-client.ts';
import { describeLost, judgeLoad } from '../test/support/load-report.ts';
import type { Bench } from './bench.ts';

const REDEPLOYS = 20;
const RATE = 200;
const SLOW_POSTS = { connections: 10, milliseconds: 2_000 };

/** A1 in full: no request is lost and no release mixed while an app that ignores SIGTERM is redeployed again and again. */
export const redeploysUnderLoad: Bench = {
  name: 'a1',
  title: `${REDEPLOYS} redeploys under ${RATE} requests/s and ${SLOW_POSTS.connections} connections of 2-second POSTs`,
  async run({ startPlatform, nodeImage, say }) {
    const platform = await startPlatform();
    try {
      const version = (release: string) =>
        nodeApp(nodeImage, { release, ignoreSigterm: true, listenAfterMs: 500 });
      const repository = await platform.createRepository('busy', version('v0'));
      const { app } = await platform.createLiveApp({
        name: 'busy',
        repo_url: repository.url,
        port: 3000,
        health_check_path: '/health',
      });
      const load = await startLoad({
        port: platform.httpPort,
        host: 'busy.localhost',
        path: '/',
        ratePerSecond: RATE,
        slowPosts: SLOW_POSTS,
        maxSeconds: 900,
      });
      const releases = ['v0'];
      const startedAt = performance.now();
      for (let count = 1; count <= REDEPLOYS; count++) {
        releases.push(`v${count}`);
        await repository.commit(version(`v${count}`));
        await platform.deploy(app.id);
        await load.waitForRelease(`v${count}`);
        say(`redeploy ${count}: ${load.progress.sent} requests sent, ${load.progress.failed} failed`);
      }
      const took = (performance.now() - startedAt) / 1000;
      const verdict = judgeLoad(await load.stop(), releases);
      const { p50, p99, max } = verdict.latency;
      return {
        table: [
          ['requests', 'of them slow POSTs', 'lost', 'old after new', 'seconds', 'p50', 'p99', 'max'],
          [
            String(verdict.total),
            String(verdict.slowPosts),
            String(verdict.lost.length),
            String(verdict.stale.length),
            took.toFixed(0),
            ...[p50, p99, max].map((time) => `${time.toFixed(1)} ms`),
          ],
        ],
        notes: [describeLost(verdict)].filter((text) => text !== ''),
        goal: { text: 'lost 0, old after new 0', reached: verdict.lost.length + verdict.stale.length === 0 },
      };
    } finally {
      await platform.close();
    }
  },
};
