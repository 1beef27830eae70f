import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../../test/support/api-under-test.ts';
import { BerthCommand, runBerth } from '../../../test/support/berth-command.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import type { Deployment } from '../../db/database.ts';
import { appendStatus } from '../../deployments/status-line.ts';
import { type Listening, listen } from '../../http/listen.ts';

jest.setTimeout(60_000);

describe('berth', () => {
  let api: ApiUnderTest;
  let server: Listening;
  let environment: Record<string, string>;

  beforeAll(async () => {
    api = await startApi();
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
    environment = { BERTH_URL: `http://127.0.0.1:${server.port}`, BERTH_TOKEN: api.token };
  });
  afterAll(async () => {
    await server?.close(0);
    await api?.close();
  });

  const berth = (...args: string[]) => runBerth(args, { environment });
  /** What a worker would do. */
  async function move(id: string, data: Partial<Deployment>): Promise<void> {
    await appendStatus(
      api.prisma,
      await api.prisma.deployment.update({ where: { id }, data: data as object }),
    );
  }
  async function releasedApp(name: string): Promise<{ appId: string; releases: string[] }> {
    const body = { name, repo_url: 'https://github.com/acme/shop', deploy: false };
    const appId: string = (await api.call('post', '/apps').send(body)).body.id;
    const releases: string[] = [];
    for (const imageId of ['sha256:one', 'sha256:two']) {
      const id: string = (await api.call('post', `/apps/${appId}/deploy`)).body.id;
      await api.prisma.deployment.updateMany({ where: { appId }, data: { status: 'retired' } });
      await move(id, { status: 'live', liveAt: new Date(), imageId, imageTag: `berth/${name}:${id}` });
      await api.prisma.app.update({ where: { id: appId }, data: { liveDeploymentId: id } });
      releases.push(id);
    }
    return { appId, releases };
  }
  const latestOf = (appId: string) =>
    api.prisma.deployment.findFirstOrThrow({ where: { appId }, orderBy: { queueSequence: 'desc' } });

  test('rollback --wait ends with its outcome, and says that pushes are held', async () => {
    const { appId, releases } = await releasedApp('back');
    const command = new BerthCommand(['rollback', 'back', '--wait'], { environment });
    try {
      await command.told(/is queued/);
      const { id, imageFromId } = await latestOf(appId);
      expect(imageFromId).toBe(releases[0]);
      await move(id, { status: 'live', liveAt: new Date() });
      const { exitCode, stdout, stderr } = await command.ended();
      expect([exitCode, stdout.trim()]).toEqual([0, 'http://back.apps.test:8000']);
      expect(stderr).toContain('until "berth resume back"');
    } finally {
      await command.close();
    }
  });

  test('rollback to a release that is not there says why, in JSON too', async () => {
    const { releases } = await releasedApp('nowhere');
    const { exitCode, stdout, stderr } = await berth(
      'rollback',
      'nowhere',
      '--to',
      releases[1] ?? '',
      '--json',
    );
    expect(exitCode).toBe(5);
    expect(`${stdout}${stderr}`).toContain('rollback_impossible');
  });

  test('releases lists them with what stands against each', async () => {
    const { releases } = await releasedApp('listed');
    const { exitCode, stdout } = await berth('releases', 'listed', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { deployment_id: releases[1], is_live: true, rollback_possible: false },
      { deployment_id: releases[0], is_live: false, rollback_possible: true },
    ]);
    expect((await berth('releases', 'listed')).stdout).toMatch(/possible/);
  });

  test('restart prints the id of its deployment, deploy --no-build takes the image that runs', async () => {
    const { appId } = await releasedApp('again');
    const restarted = await berth('restart', 'again');
    expect(restarted.stdout.trim()).toBe((await latestOf(appId)).id);
    expect((await berth('deploy', 'again', '--no-build')).exitCode).toBe(0);
    expect(await latestOf(appId)).toMatchObject({ trigger: 'settings', imageId: 'sha256:two' });
    expect((await berth('deploy', 'again', '--no-cache')).exitCode).toBe(0);
    expect(await latestOf(appId)).toMatchObject({ trigger: 'manual', imageId: null, noCache: true });
  });

  test('stop --wait waits until the containers are gone, start brings the release back', async () => {
    const { appId, releases } = await releasedApp('quiet');
    const command = new BerthCommand(['stop', 'quiet', '--wait'], { environment });
    try {
      const where = { id: appId, desiredState: 'stopped' } as const;
      await waitUntil('the wish to stop', async () => (await api.prisma.app.count({ where })) > 0);
      expect(command.stderr).not.toContain('is stopped');
      await api.prisma.app.update({ where: { id: appId }, data: { liveDeploymentId: null } });
      const { exitCode, stderr } = await command.ended();
      expect([exitCode, stderr]).toEqual([0, expect.stringContaining('is stopped')]);
    } finally {
      await command.close();
    }
    expect((await berth('start', 'quiet')).exitCode).toBe(0);
    expect(await latestOf(appId)).toMatchObject({ trigger: 'start', imageFromId: releases[1] });
    const again = await berth('start', 'nobody');
    expect(again.exitCode).toBe(5);
  });

  test('resume lets pushes deploy again', async () => {
    const { appId } = await releasedApp('held');
    await berth('rollback', 'held');
    expect((await berth('resume', 'held')).stderr).toContain('Pushes deploy it again');
    const app = await api.prisma.app.findUniqueOrThrow({ where: { id: appId } });
    expect(app.autoDeployHeldSince).toBeNull();
  });
});
