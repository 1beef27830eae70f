import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { DeploymentView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { BerthCommand, runBerth } from '../support/berth-command.ts';
import { nodeApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';

jest.setTimeout(180_000);

describe('berth on the whole platform', () => {
  let platform: Platform;
  let nodeImage: string;
  let repository: TestRepository;
  let environment: Record<string, string>;
  const commands: BerthCommand[] = [];

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform({ settings: { GATE_TIMEOUT_SECONDS: '10' } });
    repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v1' }));
    environment = {
      BERTH_URL: `http://127.0.0.1:${platform.settings['PORT']}`,
      BERTH_TOKEN: readFileSync(join(platform.dataDir, 'admin-token'), 'utf8'),
    };
  });
  afterEach(async () => {
    await Promise.all(commands.splice(0).map((command) => command.close()));
  });
  afterAll(() => platform?.close());

  const berth = (...args: string[]) => runBerth(args, { environment });
  const start = (...args: string[]) => {
    const command = new BerthCommand(args, { environment });
    commands.push(command);
    return command;
  };

  test('A24: apps create --wait brings an app live and prints its URL, which answers', async () => {
    const settings = ['--branch', 'main', '--port', '3000', '--health-path', '/health'];
    const created = await berth('apps', 'create', 'shop', '--repo', repository.url, ...settings, '--wait');
    expect(created).toMatchObject({ exitCode: 0, stdout: `http://shop.localhost:${platform.httpPort}\n` });
    expect(created.stderr).toMatch(/▸ Cloning\n[\s\S]*▸ Building\n[\s\S]*▸ Waiting until it answers\n/);
    expect((await platform.http('shop.localhost')).body).toContain('"v1"');
    const list = await berth('apps', '--json');
    expect(JSON.parse(list.stdout)).toMatchObject([{ name: 'shop', status: 'active' }]);
  });

  test('A24: deploy --wait ends with 1 and the last lines when the release fails', async () => {
    await repository.commit(nodeApp(nodeImage, { release: 'v2', exitCode: 1 }));
    const failed = await berth('deploy', 'shop', '--wait');
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
    expect(failed.stderr).toMatch(
      / of shop failed \(exited_early\)\.\n.*\n.*\nIts last lines:\n(.*\n)*.*giving up with code 1/,
    );
    expect((await platform.http('shop.localhost')).body).toContain('"v1"');
  });

  test('A24: logs -f follows a deployment to its end, past a killed API', async () => {
    await repository.commit(nodeApp(nodeImage, { release: 'v3', listenAfterMs: 4_000 }));
    const queued = await berth('deploy', 'shop', '--json');
    const { id } = JSON.parse(queued.stdout) as DeploymentView;
    const follower = start('logs', '-f', '--build', 'shop', '--json');
    const waiter = start('logs', '--follow', id);
    // Both are connected: a command that cannot even begin does not try again.
    await Promise.all([follower.printed(/"step":"gating"/), waiter.printed(/Waiting until it answers/)]);
    await platform.apiServer.kill9();
    await Promise.all([follower.told(/trying again/), waiter.told(/trying again/)]);
    await platform.apiServer.start();

    const { exitCode, stdout } = await follower.ended();
    expect(exitCode).toBe(0);
    const entries = stdout.trimEnd().split('\n');
    const seqs = entries.map((entry) => (JSON.parse(entry) as { seq: number }).seq);
    expect(seqs).toEqual(seqs.map((_seq, index) => index + 1));
    expect(entries.at(-1)).toMatch(/"status":"live","step":null/);
    expect((await waiter.ended()).stdout).toMatch(/▸ Live\n[\s\S]*▸ Live, with nothing left to do\n$/);
    expect((await platform.http('shop.localhost')).body).toContain('"v3"');
  });

  test('A14: logs of an app are what its containers write', async () => {
    const follower = start('logs', '-f', 'shop');
    await follower.printed(/release v3 starts with PORT 3000/);
    follower.signal('SIGINT');
    expect((await follower.ended()).exitCode).toBe(130);
  });

  test('A24: an interrupted deploy --wait lets the deployment go on to its end', async () => {
    // The commit is built already, and is to be built again.
    const waiter = start('deploy', 'shop', '--wait', '--no-cache');
    await waiter.told(/▸ Building/);
    waiter.signal('SIGINT');
    expect(await waiter.ended()).toMatchObject({
      exitCode: 130,
      stderr: expect.stringContaining('goes on without you'),
    });
    const [app] = await platform.api.apps();
    const [latest] = await platform.api.deployments(app?.id ?? '');
    await platform.waitForStatus(latest?.id ?? '', 'live');
  });

  test('apps delete --yes removes the app', async () => {
    expect(await berth('apps', 'delete', 'shop', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await platform.deleteAllApps()).toEqual([]);
    expect(await berth('apps', '--json')).toMatchObject({ exitCode: 0, stdout: '[]\n' });
  });
});
