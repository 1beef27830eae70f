import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { FakeGithub } from '../support/fake-github.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { PrivateDocker } from '../support/private-docker.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../support/private-postgres.ts';
import { chooseSeed, runSoak } from '../support/soak.ts';

jest.setTimeout(900_000);

/** The whole of it, for ten minutes: `npm run bench -- soak`. */
const PLAN = { apps: 5, requests: 20, seconds: 60, stillSeconds: 120 };

const where = PrivateDocker.isPossible ? describe : describe.skip;
where('under load, with kills all the time', () => {
  let daemon: PrivateDocker;
  let postgres: PrivatePostgres;
  let github: FakeGithub;
  let platform: Platform;
  let busyboxImage: string;

  beforeAll(async () => {
    daemon = await PrivateDocker.start();
    busyboxImage = await ensureBusyboxImage(daemon.docker);
    postgres = await startPrivatePostgres();
    github = await FakeGithub.start();
    github.addUser('ada');
    const settings = {
      GITHUB_URL: github.url,
      GIT_PRIVATE_HOSTS: github.host,
      LEASE_SECONDS: '4',
      STOP_GRACE_SECONDS: '1',
      GATE_TIMEOUT_SECONDS: '15',
    };
    platform = await startPlatform({ docker: daemon, database: postgres, settings });
  }, 420_000);
  afterAll(async () => {
    try {
      await platform?.close();
    } finally {
      await github?.close();
      await daemon?.close();
    }
  }, 300_000);

  test('A4: nothing is lost, nothing is stuck and nothing is left over (I1 to I9)', async () => {
    const seed = chooseSeed(process.env['BERTH_SOAK_SEED']);
    const say = (text: string) => process.stderr.write(`${text}\n`);
    const parts = { platform, daemon, restartDatabase: () => postgres.restart(), github, busyboxImage, say };
    const report = await runSoak(parts, { ...PLAN, seed });
    say(`soak: ${JSON.stringify(report)}`);
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
    expect(report.accepted).toBe(PLAN.requests);
    expect(report.kills.api).toBeGreaterThan(0);
    expect(report.kills.worker).toBeGreaterThan(0);
  });
});
