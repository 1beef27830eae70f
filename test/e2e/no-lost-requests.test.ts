import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureNodeImage } from '../support/base-image.ts';
import { nodeApp } from '../support/fixture-apps.ts';
import { startLoad } from '../support/load-client.ts';
import { describeLost, judgeLoad } from '../support/load-report.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

jest.setTimeout(240_000);

const REDEPLOYS = 4;

describe('redeploys under load', () => {
  let platform: Platform;
  let nodeImage: string;

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform();
  });
  afterAll(() => platform?.close());

  test.each([1, 2])(
    'A1, F52: an app of %i replica(s) that ignores SIGTERM loses no request and mixes no releases',
    async (replicas) => {
      const name = `busy-${replicas}`;
      const version = (release: string) =>
        nodeApp(nodeImage, { release, ignoreSigterm: true, listenAfterMs: 500 });
      const repository = await platform.createRepository(name, version('v0'));
      const { app } = await platform.createLiveApp({
        name,
        repo_url: repository.url,
        port: 3000,
        health_check_path: '/health',
        replicas,
      });
      const releases = ['v0'];
      const load = await startLoad({
        port: platform.httpPort,
        host: `${name}.localhost`,
        path: '/',
        ratePerSecond: 150,
        slowPosts: { connections: 5, milliseconds: 2_000 },
        maxSeconds: 200,
      });
      for (let count = 1; count <= REDEPLOYS; count++) {
        const release = `v${count}`;
        releases.push(release);
        await repository.commit(version(release));
        await platform.deploy(app.id);
        await load.waitForRelease(release);
      }
      const verdict = judgeLoad(await load.stop(), releases);

      expect(describeLost(verdict)).toBe('');
      expect(Object.keys(verdict.byRelease).sort()).toEqual(releases);
      expect(verdict.slowPosts).toBeGreaterThan(REDEPLOYS * 2);
      expect(verdict.total).toBeGreaterThan(1_000);
    },
  );
});
