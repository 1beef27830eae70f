import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { DeploymentView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { type AppBehaviour, nodeApp, nodeAppWith, type RepositoryFiles } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

jest.setTimeout(120_000);

describe('the status is what was observed, also without a health path', () => {
  let platform: Platform;
  let nodeImage: string;

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform({ settings: { GATE_TIMEOUT_SECONDS: '8', WATCH_SECONDS: '4' } });
  });
  afterAll(() => platform?.close());

  async function firstDeployment(
    name: string,
    files: RepositoryFiles,
    status: 'live' | 'failed',
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<DeploymentView> {
    const repository = await platform.createRepository(name, files);
    const app = await platform.api.createApp({ name, repo_url: repository.url, port: 3000, ...more });
    const [first] = await platform.api.deployments(app.id);
    await platform.waitForStatus(first?.id ?? '', status);
    if (status === 'failed') {
      expect(await platform.containers({ appId: app.id })).toEqual([]);
      expect((await platform.api.app(app.id)).status).toBe('failed');
    }
    return platform.api.deployment(first?.id ?? '');
  }

  const app = (behaviour: Omit<AppBehaviour, 'release'>) =>
    nodeApp(nodeImage, { release: 'v1', ...behaviour });

  test('A3: an app that listens and then ends is not live', async () => {
    const failed = await firstDeployment('crash-loop', app({ exitCode: 3, exitAfterMs: 1_500 }), 'failed');
    expect(failed).toMatchObject({ failure_code: 'exited_early', exit_code: 3 });
    expect(failed.log_tail.join('\n')).toContain('giving up with code 3');
  });

  test('A3: an app that eats its memory is told so, with its limit', async () => {
    const failed = await firstDeployment('hungry', app({ eatMemory: true }), 'failed', { memory_mb: 128 });
    expect(failed).toMatchObject({ failure_code: 'out_of_memory', out_of_memory: true });
    expect(failed.failure_reason).toMatch(/128/);
  });

  test('A3: an app that listens on loopback only is told so', async () => {
    const failed = await firstDeployment('inward', app({ listenOn: '127.0.0.1' }), 'failed');
    expect(failed.failure_code).toBe('listens_on_loopback');
    expect(failed.failure_reason).toMatch(/127\.0\.0\.1|loopback/);
  });

  test('A3: an app on another port is told which ports it does listen on', async () => {
    const failed = await firstDeployment('elsewhere', app({ port: 4999 }), 'failed');
    expect(failed.failure_code).toBe('listens_on_other_port');
    expect(failed.failure_reason).toMatch(/4999/);
  });

  test('A3: a container that cannot take our mount is told so', async () => {
    // Docker cannot mount a directory onto a file.
    const files = nodeAppWith(nodeImage, { release: 'v1' }, ['RUN echo taken > /.berth']);
    const failed = await firstDeployment('unmountable', files, 'failed');
    expect(failed.failure_code).toBe('image_start_failed');
  });

  test('A3: a command that does not exist is told so', async () => {
    const files = { Dockerfile: `FROM ${nodeImage}\nCMD ["no-such-command"]\n` };
    const failed = await firstDeployment('commandless', files, 'failed');
    expect(failed.failure_code).toBe('image_start_failed');
    expect(`${failed.failure_reason} ${failed.log_tail.join(' ')}`).toMatch(/no-such-command/);
  });

  test('A3: of a candidate that talks much before it ends the last 200 lines are kept', async () => {
    const talk = 'for (let i = 1; i <= 500; i++) console.log("line", i); process.exit(1);';
    const files = {
      Dockerfile: `FROM ${nodeImage}\nCOPY talk.mjs /\nCMD ["node", "/talk.mjs"]\n`,
      'talk.mjs': talk,
    };
    const failed = await firstDeployment('talkative', files, 'failed');
    expect(failed.log_tail).toHaveLength(200);
    expect(failed.log_tail.at(-1)).toBe('line 500');
  });

  test('A3: an app that only takes its time goes live', async () => {
    await firstDeployment('patient', app({ listenAfterMs: 3_000 }), 'live');
    expect((await platform.http('patient.localhost')).status).toBe(200);
  });
});
