import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { BROKEN_APPS, nodeApp } from '../support/fixture-apps.ts';
import { startLoad } from '../support/load-client.ts';
import { describeLost, judgeLoad } from '../support/load-report.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';

jest.setTimeout(120_000);

describe('a broken next version', () => {
  let platform: Platform;
  let nodeImage: string;
  let repository: TestRepository;
  let app: AppView;

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform({ settings: { GATE_TIMEOUT_SECONDS: '5' } });
    repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v1' }));
    ({ app } = await platform.createLiveApp({
      name: 'shop',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
    }));
  });
  afterAll(() => platform?.close());

  test.each(BROKEN_APPS)('A2: $name fails with $code and the old container serves on', async (broken) => {
    const [before] = await platform.containers({ appId: app.id });
    const load = await startLoad({
      port: platform.httpPort,
      host: 'shop.localhost',
      path: '/',
      ratePerSecond: 50,
      maxSeconds: 100,
    });
    await repository.commit(broken.files(nodeImage, 'v2'));
    const failed = await platform.deploy(app.id, 'failed');
    const verdict = judgeLoad(await load.stop(), ['v1']);

    expect(failed.failure_code).toBe(broken.code);
    expect(failed.failure_reason).toMatch(broken.says);
    // One sentence: a capital letter (or what it names) first, a full stop last, nothing like a stack in between.
    expect(failed.failure_reason).toMatch(/^\S[^\n]{15,400}\.$/);

    const containers = await platform.containers({ appId: app.id });
    expect(containers.map(({ id, startedAt }) => ({ id, startedAt }))).toEqual([
      { id: before?.id, startedAt: before?.startedAt },
    ]);
    expect(describeLost(verdict)).toBe('');
    expect(verdict.total).toBeGreaterThan(20);
    expect(await platform.api.app(app.id)).toMatchObject({ live_deployment_id: before?.deploymentId });
  });

  test('A2: the last words of a candidate that ended can be read when it is gone', async () => {
    const deployments = await platform.api.deployments(app.id);
    const exited = deployments.find(({ failure_code }) => failure_code === 'exited_early');
    const { exit_code, log_tail } = await platform.api.deployment(exited?.id ?? '');
    expect(exit_code).toBe(1);
    expect(log_tail.join('\n')).toContain('giving up with code 1');
  });

  test('A2: after six failures the next good version goes live', async () => {
    await repository.commit(nodeApp(nodeImage, { release: 'v3' }));
    await platform.deploy(app.id);
    expect((await platform.http('shop.localhost')).body).toContain('"v3"');
  });
});
