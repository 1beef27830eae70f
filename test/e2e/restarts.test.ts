import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { describeProbes } from '../support/identity-probes.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { PrivateDocker } from '../support/private-docker.ts';
import { type Restart, type Restarted, RestartScene } from '../support/restart-scene.ts';

jest.setTimeout(420_000);

/** Twenty in `npm run bench -- restarts`. */
const APPS = 6;
const PROBES_PER_SECOND = 10;
/** What may not cost a single request: nobody asks the API or the worker on the way to an app. */
const NOT_ON_THE_WAY: readonly Restart[] = ['worker', 'worker, kill -9', 'API', 'API, kill -9'];

const where = PrivateDocker.isPossible ? describe : describe.skip;
where.each([
  { liveRestore: true, restarts: ['Traefik', 'dockerd', 'dockerd, kill -9', 'all at once'] },
  { liveRestore: false, restarts: ['dockerd, kill -9', 'all at once'] },
] satisfies { liveRestore: boolean; restarts: Restart[] }[])(
  'restarts on a machine whose dockerd has live-restore: $liveRestore',
  ({ liveRestore, restarts }) => {
    let daemon: PrivateDocker;
    let platform: Platform;
    let scene: RestartScene;

    beforeAll(async () => {
      daemon = await PrivateDocker.start({ liveRestore });
      const busyboxImage = await ensureBusyboxImage(daemon.docker);
      platform = await startPlatform({
        docker: daemon,
        settings: { LEASE_SECONDS: '4', STOP_GRACE_SECONDS: '1' },
      });
      const probesPerSecond = PROBES_PER_SECOND;
      scene = await RestartScene.start({ platform, daemon, busyboxImage, apps: APPS, probesPerSecond });
    }, 420_000);
    afterAll(async () => {
      await scene?.end();
      try {
        await platform?.close();
      } finally {
        await daemon?.close();
      }
    }, 120_000);

    /** Every answer that came was of the app whose host was asked, and what was stopped is so still. */
    async function expectNothingCrossed({ probes }: Restarted): Promise<void> {
      expect(describeProbes(probes.filter(({ outcome }) => outcome === 'other'))).toBe('');
      expect(probes.length).toBeGreaterThan(APPS);
      expect(await scene.stoppedApp()).toEqual({ status: 'stopped', running: 0, answer: 503 });
    }

    if (liveRestore) {
      test.each(NOT_ON_THE_WAY)('A16: restarted %s: no request is lost', async (what) => {
        const restarted = await scene.restart(what);
        expect(describeProbes(restarted.probes)).toBe('');
        await expectNothingCrossed(restarted);
      });
    }

    test.each(restarts)(
      'A16: restarted %s: each app is back as itself, and the stopped one is not',
      async (what) => {
        await expectNothingCrossed(await scene.restart(what));
      },
    );
  },
);
