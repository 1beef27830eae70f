import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

jest.setTimeout(120_000);

describe('an image FROM scratch', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform({ settings: { GATE_TIMEOUT_SECONDS: '5' } });
  });
  afterAll(() => platform?.close());

  test('A15: passes the gate without a shell, as a user without rights, on its EXPOSEd port', async () => {
    const repository = await platform.createRepository(
      'tiny',
      staticBinaryApp(await ensureBusyboxImage(), 'v1'),
    );
    const { app } = await platform.createLiveApp({
      name: 'tiny',
      repo_url: repository.url,
      health_check_path: '/health',
    });
    expect((await platform.http('tiny.localhost')).body).toContain('"v1"');
    const [container] = await platform.containers({ appId: app.id });
    expect(container?.health).toBe('healthy');
    expect(container?.inspect.Config.User).toBe('65534');
  });

  test('A15: a health path that answers 404 is told with its status', async () => {
    const repository = await platform.createRepository(
      'lost',
      staticBinaryApp(await ensureBusyboxImage(), 'v1'),
    );
    const app = await platform.api.createApp({
      name: 'lost',
      repo_url: repository.url,
      health_check_path: '/nowhere',
    });
    const [first] = await platform.api.deployments(app.id);
    const failed = await platform.waitForStatus(first?.id ?? '', 'failed');
    expect(failed.failure_code).toBe('health_check_failed');
    expect(failed.failure_reason).toMatch(/404/);
  });
});
