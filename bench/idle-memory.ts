import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeApp } from '../test/support/fixture-apps.ts';
import type { Bench } from './bench.ts';
import { processorSeconds, residenceOf, withDescendants } from './resident-pages.ts';

const SETTLE_SECONDS = 20;
const WATCH_SECONDS = 30;
const GOAL_MB = 250;

/** What the platform itself takes while one app runs and nobody asks for anything. */
export const idleMemory: Bench = {
  name: 'memory',
  title: 'Memory and processor while idle, one app live',
  async run({ startPlatform, postgresPid, nodeImage, folder, say }) {
    const platform = await startPlatform({}, ownPrograms(folder));
    try {
      const repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v0' }));
      await platform.createLiveApp({
        name: 'shop',
        repo_url: repository.url,
        port: 3000,
        health_check_path: '/health',
      });
      say(`waiting ${SETTLE_SECONDS} s for it to settle, then ${WATCH_SECONDS} s of watching`);
      await delay(SETTLE_SECONDS * 1000);
      const parts = {
        API: platform.apiServer.pid(),
        worker: platform.worker.pid(),
        Postgres: postgresPid(),
        Traefik: platform.traefik.process.pid,
      };
      const pidsOf = () => Object.values(parts).map(withDescendants);
      const before = pidsOf().map(processorSeconds);
      await delay(WATCH_SECONDS * 1000);
      const groups = pidsOf();
      const percent = groups.map(
        (pids, index) => ((processorSeconds(pids) - (before[index] ?? 0)) / WATCH_SECONDS) * 100,
      );
      const rows = groups.map(residenceOf);
      const sum = {
        ...residenceOf(groups.flat()),
        percent: percent.reduce((total, part) => total + part, 0),
      };
      const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
      const row = (name: string, of: (typeof rows)[number] | undefined, cpu: number) => [
        name,
        megabytes(of?.workingSet ?? 0),
        megabytes(of?.anonymous ?? 0),
        megabytes(of?.rss ?? 0),
        megabytes(of?.pss ?? 0),
        `${cpu.toFixed(1)} %`,
      ];
      return {
        table: [
          ['', 'working set', 'anonymous and shared', 'RSS', 'PSS', 'CPU'],
          ...Object.keys(parts).map((name, index) => row(name, rows[index], percent[index] ?? 0)),
          row('all', sum, sum.percent),
        ],
        notes: [
          'Working set: resident pages without inactive file pages, as `docker stats` counts; a page that processes share counts once, so the sum may be less than its parts. RSS counts shared pages in every process, PSS divides them. CPU: of one core. Node and Traefik run from copies: other processes of the same file, such as this bench, would have made its pages active.',
        ],
        goal: { text: `working set of all ≤ ${GOAL_MB} MB`, reached: sum.workingSet <= GOAL_MB * 1e6 },
      };
    } finally {
      await platform.close();
    }
  },
};

function ownPrograms(folder: string): { node: string; traefik: string } {
  const traefik = process.env['BERTH_TEST_TRAEFIK'] ?? '';
  const own = { node: join(folder, 'node'), traefik: join(folder, 'traefik') };
  copyFileSync(process.execPath, own.node);
  copyFileSync(traefik, own.traefik);
  return own;
}
