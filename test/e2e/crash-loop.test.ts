import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { nodeApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(120_000);

describe('a release that was live and falls over', () => {
  let platform: Platform;
  let nodeImage: string;

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform();
  });
  afterAll(() => platform?.close());

  async function liveApp(name: string): Promise<AppView> {
    const repository = await platform.createRepository(name, nodeApp(nodeImage, { release: 'v1' }));
    const more = { port: 3000, health_check_path: '/health', memory_mb: 128 };
    return (await platform.createLiveApp({ name, repo_url: repository.url, ...more })).app;
  }
  const served = (name: string) =>
    waitUntil(`${name} to answer`, async () => (await platform.http(`${name}.localhost`)).status === 200, {
      timeoutMs: 60_000,
      intervalMs: 20,
    });
  /** It answers nothing any more. */
  const post = (name: string, path: string) =>
    platform.http(`${name}.localhost`, path, 'POST').catch(() => null);
  const appOf = async (id: string) => (await platform.api.send('GET', `/apps/${id}`)).body;
  async function appLog(id: string): Promise<string> {
    const { body } = await platform.api.send('GET', `/apps/${id}/logs`);
    return (body as { items: { text: string }[] }).items.map(({ text }) => text).join('\n');
  }

  test('F26: for its memory is started again, and the app and its log say why', async () => {
    const app = await liveApp('hungry');
    await post('hungry', '/eat');
    await waitUntil(
      'the restart to be told',
      async () =>
        (await appLog(app.id)).includes('used more memory than its limit of 128 MB and was started again'),
      { timeoutMs: 60_000 },
    );
    await served('hungry');
    expect(await appOf(app.id)).toMatchObject({
      status: 'active',
      health: { restarts: 1, last_cause: 'used more memory than its limit of 128 MB' },
    });
  });

  test('F28: again and again has crashed, with cause and last lines, and answers while it runs', async () => {
    const app = await liveApp('loop');
    // The proxy may have no route at the moment in which it is asked to die once more.
    await waitUntil(
      'five restarts',
      async () => {
        await post('loop', '/die');
        const [container] = await platform.containers({ appId: app.id });
        return (container?.inspect.RestartCount ?? 0) >= 5;
      },
      { timeoutMs: 60_000, intervalMs: 100 },
    );
    await waitUntil(
      'the app to be called crashed',
      async () => (await platform.api.app(app.id)).status === 'crashed',
      {
        timeoutMs: 60_000,
        explain: async () => JSON.stringify(await appOf(app.id)) + (await appLog(app.id)),
      },
    );
    const crashed = await platform.api.deployment(app.live_deployment_id ?? '');
    expect(crashed).toMatchObject({ status: 'crashed', failure_code: 'crash_loop', exit_code: 1 });
    expect(crashed.failure_reason).toMatch(/restarted \d+ times .* exit code 1/);
    expect(crashed.log_tail.join('\n')).toContain('release v1 starts');
    expect(await appLog(app.id)).toContain('has crashed');
    await served('loop');

    const fixed = await platform.deploy(app.id);
    await platform.waitForEndOfDrain(fixed.id);
    expect(await appOf(app.id)).toMatchObject({ status: 'active', health: null });
    expect((await platform.api.deployment(crashed.id)).status).toBe('crashed');
  });
});
