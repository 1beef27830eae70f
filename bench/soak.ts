import { ensureBusyboxImage } from '../test/support/base-image.ts';
import { FakeGithub } from '../test/support/fake-github.ts';
import { PrivateDocker } from '../test/support/private-docker.ts';
import { chooseSeed, runSoak } from '../test/support/soak.ts';
import { type Bench, seconds } from './bench.ts';

const PLAN = { apps: 20, requests: 200, seconds: 600, stillSeconds: 90 };
const SETTLE_GOAL_MS = 90_000;

/** A4 and I1–I9 in full; `BERTH_SOAK_SEED` repeats a run. */
export const soak: Bench = {
  name: 'soak',
  title: `${PLAN.requests} deployments of ${PLAN.apps} apps while API and workers are killed every 1–5 s`,
  async run({ startPlatform, restartPostgres, say }) {
    const daemon = await PrivateDocker.start();
    const github = await FakeGithub.start();
    github.addUser('ada');
    try {
      const busyboxImage = await ensureBusyboxImage(daemon.docker);
      const settings = { GITHUB_URL: github.url, GIT_PRIVATE_HOSTS: github.host, STOP_GRACE_SECONDS: '1' };
      const platform = await startPlatform({ ...settings, LEASE_SECONDS: '5' }, { docker: daemon });
      try {
        const seed = chooseSeed(process.env['BERTH_SOAK_SEED']);
        const parts = { platform, daemon, restartDatabase: restartPostgres, github, busyboxImage, say };
        const report = await runSoak(parts, { ...PLAN, seed });
        const { kills, accepted, cancels, attempts, endings, settledAfterMs, violations } = report;
        return {
          table: [
            [
              'accepted',
              'cancelled',
              'kills of workers',
              'of the API',
              'attempts',
              'settled after',
              'requests',
              'without a route',
              'longest gap',
            ],
            [
              ...[accepted, cancels, kills.worker, kills.api, attempts].map(String),
              seconds(settledAfterMs),
              String(report.probes),
              String(report.unrouted),
              seconds(report.longestGapMs),
            ],
          ],
          notes: [
            `Seed ${seed}; ${PLAN.seconds} s of load, dockerd and Postgres restarted once each; without a route: around the restart of dockerd, as docs/self-hosting.md tells. Ends: ${Object.entries(
              endings,
            )
              .map(([status, count]) => `${count} ${status}`)
              .join(', ')}.`,
            ...violations.map((violation) => `- ${violation}`),
          ],
          goal: {
            text: `I1 to I9 hold, settled ≤ ${SETTLE_GOAL_MS / 1000} s after the load`,
            reached: violations.length === 0 && settledAfterMs <= SETTLE_GOAL_MS,
          },
        };
      } finally {
        await platform.close();
      }
    } finally {
      await github.close();
      await daemon.close();
    }
  },
};
