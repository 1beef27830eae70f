import { ensureBusyboxImage } from '../test/support/base-image.ts';
import { longestGapMs } from '../test/support/identity-probes.ts';
import { PrivateDocker } from '../test/support/private-docker.ts';
import { RESTARTS, type Restart, type Restarted, RestartScene } from '../test/support/restart-scene.ts';
import { type Bench, type BenchTools, seconds } from './bench.ts';

const APPS = 20;
const PROBES_PER_SECOND = 10;
const BACK_GOAL_MS = 60_000;
/** Nothing on the way from a browser to an app. */
const COSTS_NOTHING = /^(worker|API)/;

interface Row {
  readonly name: string;
  readonly of: Restarted;
}

/** A16: what it costs when parts of the platform end and begin again; the proxy's own gap, too. */
export const restarts: Bench = {
  name: 'restarts',
  title: `Restarts under ${PROBES_PER_SECOND} requests/s to each of ${APPS} apps`,
  async run(tools) {
    const withRestore = await measure(tools, true, Object.keys(RESTARTS) as Restart[]);
    const without = await measure(tools, false, ['dockerd, kill -9', 'all at once']);
    const rows = [...withRestore, ...without];
    const count = ({ of }: Row, wanted: string) =>
      of.probes.filter(({ outcome }) => outcome === wanted).length;
    const crossed = rows.reduce((sum, row) => sum + count(row, 'other'), 0);
    const lost = rows
      .filter(({ name }) => COSTS_NOTHING.test(name))
      .reduce((sum, row) => sum + count(row, 'lost'), 0);
    const isBack = rows.every(({ of }) => of.backAfterMs <= BACK_GOAL_MS);
    return {
      table: [
        ['restarted', 'requests', 'lost', 'of another app', 'longest gap', 'all back after'],
        ...rows.map((row) => [
          row.name,
          String(row.of.probes.length),
          String(count(row, 'lost')),
          String(count(row, 'other')),
          seconds(longestGapMs(row.of.probes)),
          seconds(row.of.backAfterMs),
        ]),
      ],
      notes: [
        'Gap: between two answers of one app, 0.1 s of pause included. Back: counted from the end of the restart. A stopped app stayed stopped each time.',
      ],
      goal: {
        text: `of another app 0; restarts of worker and API lose 0; all back ≤ ${BACK_GOAL_MS / 1000} s`,
        reached: crossed === 0 && lost === 0 && isBack,
      },
    };
  },
};

async function measure(
  { startPlatform, say }: BenchTools,
  liveRestore: boolean,
  names: Restart[],
): Promise<Row[]> {
  const daemon = await PrivateDocker.start({ liveRestore });
  try {
    const busyboxImage = await ensureBusyboxImage(daemon.docker);
    const platform = await startPlatform({ STOP_GRACE_SECONDS: '1' }, { docker: daemon });
    try {
      const probesPerSecond = PROBES_PER_SECOND;
      const scene = await RestartScene.start({ platform, daemon, busyboxImage, apps: APPS, probesPerSecond });
      const rows: Row[] = [];
      for (const name of names) {
        const of = await scene.restart(name);
        say(`${name}: back after ${seconds(of.backAfterMs)}`);
        rows.push({ name: liveRestore ? name : `${name}, without live-restore`, of });
        const { status, running } = await scene.stoppedApp();
        if (status !== 'stopped' || running > 0)
          throw new Error(`after ${name} the stopped app is ${status}`);
      }
      await scene.end();
      return rows;
    } finally {
      await platform.close();
    }
  } finally {
    await daemon.close();
  }
}
