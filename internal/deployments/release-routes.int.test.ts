import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import type { Deployment } from '../db/database.ts';
import { openSnapshot } from './config-snapshot.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const SHA = '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123';
let names = 0;
let minutes = 0;

async function makeApp(): Promise<string> {
  const body = {
    name: `shop-${++names}`,
    repo_url: 'https://github.com/acme/shop',
    branch: 'main',
    deploy: false,
  };
  return (await api.call('post', '/apps').send(body)).body.id;
}
const ask = (appId: string, what: string, body: object = {}) =>
  api.call('post', `/apps/${appId}/${what}`).send(body);
const rowOf = (id: string) => api.prisma.deployment.findUniqueOrThrow({ where: { id } });
const appOf = async (id: string) => (await api.call('get', `/apps/${id}`)).body;
const configOf = (row: Deployment) => openSnapshot(api.needs.box, row.id, row.configSnapshot);

/** As if a worker had brought it live with that image, and ended what was live before. */
async function goesLive(appId: string, deploymentId: string, imageId?: string): Promise<string> {
  const { liveDeploymentId } = await api.prisma.app.findUniqueOrThrow({ where: { id: appId } });
  if (liveDeploymentId) {
    await api.prisma.deployment.update({ where: { id: liveDeploymentId }, data: { status: 'retired' } });
  }
  const image =
    imageId === undefined ? {} : { imageId, imageTag: `berth/shop:${deploymentId}`, commitSha: SHA };
  const liveAt = new Date(Date.UTC(2026, 0, 1, 0, ++minutes));
  await api.prisma.deployment.update({
    where: { id: deploymentId },
    data: { status: 'live', liveAt, ...image },
  });
  await api.prisma.app.update({ where: { id: appId }, data: { liveDeploymentId: deploymentId } });
  return deploymentId;
}
async function released(appId: string, imageId: string): Promise<string> {
  return goesLive(appId, (await ask(appId, 'deploy')).body.id, imageId);
}
/** As the worker leaves it. */
async function stopped(appId: string): Promise<void> {
  await ask(appId, 'stop');
  await api.prisma.deployment.updateMany({ where: { liveFor: { id: appId } }, data: { status: 'stopped' } });
  await api.prisma.app.update({ where: { id: appId }, data: { liveDeploymentId: null } });
}

describe('rolling back', () => {
  test('A10: takes image and settings of the earlier release, without a clone or a build', async () => {
    const appId = await makeApp();
    const first = await released(appId, 'sha256:one');
    await api.call('patch', `/apps/${appId}`).send({ memory_mb: 256, port: 8080 });
    await released(appId, 'sha256:two');
    const answer = await ask(appId, 'rollback');
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/api/v1/deployments/${answer.body.id}`);
    expect(answer.body).toMatchObject({ trigger: 'rollback', status: 'pending', image_id: 'sha256:one' });
    const row = await rowOf(answer.body.id);
    expect(row).toMatchObject({ imageFromId: first, commitSha: SHA, imageTag: `berth/shop:${first}` });
    expect(configOf(row)).toEqual(configOf(await rowOf(first)));
    expect(configOf(row)).toMatchObject({ memoryMb: 512, port: null });
  });

  test('A10: to any of the last five, and the list says which and why not the others', async () => {
    const appId = await makeApp();
    const ids: string[] = [];
    for (let release = 0; release < 8; release++) ids.push(await released(appId, `sha256:r${release}`));
    await api.prisma.deployment.update({ where: { id: ids[5] ?? '' }, data: { imageTag: null } });
    const { items } = (await api.call('get', `/apps/${appId}/releases`)).body;
    const listed = items.map((item: { rollback_possible: boolean; rollback_obstacle: string }) => [
      item.rollback_possible,
      item.rollback_obstacle?.slice(0, 20) ?? null,
    ]);
    expect(listed).toEqual([
      [false, 'It is the release th'],
      [true, null],
      [false, 'Its image is gone fr'],
      [true, null],
      [true, null],
      [true, null],
      [false, 'Only the images of t'],
      [false, 'Only the images of t'],
    ]);
    expect(items[0]).toMatchObject({ deployment_id: ids[7], is_live: true, status: 'live' });
    const answer = await ask(appId, 'rollback', { deployment_id: ids[2] });
    expect([answer.status, answer.body.image_id]).toEqual([202, 'sha256:r2']);
    for (const id of [ids[1], ids[5], ids[7]]) {
      expect((await ask(appId, 'rollback', { deployment_id: id })).body.code).toBe('rollback_impossible');
    }
  });

  test('the list has pages', async () => {
    const appId = await makeApp();
    for (let release = 0; release < 3; release++) await released(appId, `sha256:p${release}`);
    const first = (await api.call('get', `/apps/${appId}/releases?limit=2`)).body;
    const next = (await api.call('get', `/apps/${appId}/releases?limit=2&cursor=${first.next_cursor}`)).body;
    const images = [...first.items, ...next.items].map(({ image_id }: { image_id: string }) => image_id);
    expect(images).toEqual(['sha256:p2', 'sha256:p1', 'sha256:p0']);
    expect(next.next_cursor).toBeNull();
  });

  test('without a target goes to the last release that differs: a restart is passed over', async () => {
    const appId = await makeApp();
    const first = await released(appId, 'sha256:one');
    const second = await released(appId, 'sha256:two');
    await goesLive(appId, (await ask(appId, 'restart')).body.id);
    const back = (await ask(appId, 'rollback')).body.id;
    expect((await rowOf(back)).imageFromId).toBe(first);
    await goesLive(appId, back);
    const forth = await rowOf((await ask(appId, 'rollback')).body.id);
    expect(forth.imageId).toBe((await rowOf(second)).imageId);
  });

  test('goes back to other settings of the same image, too', async () => {
    const appId = await makeApp();
    const first = await released(appId, 'sha256:one');
    await api.call('patch', `/apps/${appId}`).send({ replicas: 3 });
    await goesLive(appId, (await ask(appId, 'deploy', { build: false })).body.id);
    const row = await rowOf((await ask(appId, 'rollback')).body.id);
    expect([row.imageFromId, configOf(row).replicas]).toEqual([first, 1]);
  });

  test('holds pushes until someone resumes, by either way', async () => {
    const appId = await makeApp();
    await released(appId, 'sha256:one');
    await released(appId, 'sha256:two');
    expect((await appOf(appId)).auto_deploy_held_since).toBeNull();
    await ask(appId, 'rollback');
    expect((await appOf(appId)).auto_deploy_held_since).toEqual(expect.any(String));
    expect((await ask(appId, 'resume')).body.auto_deploy_held_since).toBeNull();
    await ask(appId, 'rollback');
    await api.call('patch', `/apps/${appId}`).send({ port: 81 });
    expect((await appOf(appId)).auto_deploy_held_since).toEqual(expect.any(String));
    await api.call('patch', `/apps/${appId}`).send({ auto_deploy: true });
    expect((await appOf(appId)).auto_deploy_held_since).toBeNull();
  });

  test('is refused with a reason where there is nothing to go back to, and holds nothing then', async () => {
    const appId = await makeApp();
    expect((await ask(appId, 'rollback')).body.code).toBe('no_release');
    await released(appId, 'sha256:one');
    expect((await ask(appId, 'rollback')).body).toMatchObject({ status: 409, code: 'rollback_impossible' });
    const waiting = (await ask(appId, 'deploy')).body.id;
    expect((await ask(appId, 'rollback', { deployment_id: waiting })).body.code).toBe('rollback_impossible');
    expect((await appOf(appId)).auto_deploy_held_since).toBeNull();
  });

  test('T43: a release of another app is as one that is not there', async () => {
    const [appId, other] = [await makeApp(), await makeApp()];
    const foreign = await released(other, 'sha256:one');
    await released(appId, 'sha256:two');
    expect((await ask(appId, 'rollback', { deployment_id: foreign })).status).toBe(404);
  });
});

describe('stopping and starting', () => {
  test('a stop is wished at once, asked twice it is the same, and what waits is cancelled', async () => {
    const appId = await makeApp();
    await released(appId, 'sha256:one');
    const waiting = (await ask(appId, 'deploy')).body.id;
    const answer = await ask(appId, 'stop');
    expect([answer.status, answer.body.status]).toEqual([202, 'stopped']);
    expect((await ask(appId, 'stop')).status).toBe(202);
    expect((await rowOf(waiting)).status).toBe('cancelled');
  });

  test('a start is a deployment of the release that ran last, and the app is to run from then on', async () => {
    const appId = await makeApp();
    await released(appId, 'sha256:one');
    const last = await released(appId, 'sha256:two');
    await stopped(appId);
    expect((await appOf(appId)).status).toBe('stopped');
    const answer = await ask(appId, 'start');
    expect(answer.body).toMatchObject({ trigger: 'start', image_id: 'sha256:two' });
    expect((await rowOf(answer.body.id)).imageFromId).toBe(last);
    expect((await appOf(appId)).status).toBe('deploying');
  });

  test('only a stopped app with a release can be started', async () => {
    const appId = await makeApp();
    expect((await ask(appId, 'start')).body.code).toBe('no_release');
    expect((await ask(appId, 'restart')).body.code).toBe('no_release');
    await released(appId, 'sha256:one');
    expect((await ask(appId, 'start')).body.code).toBe('not_stopped');
  });

  test('a restart of a stopped app starts it, and so does a deployment', async () => {
    for (const what of ['restart', 'deploy']) {
      const appId = await makeApp();
      await released(appId, 'sha256:one');
      await stopped(appId);
      expect((await ask(appId, what)).status).toBe(202);
      expect((await appOf(appId)).status).toBe('deploying');
    }
  });

  test('every one of them leaves an audit row, and none is done to a foreign app', async () => {
    const appId = await makeApp();
    await released(appId, 'sha256:one');
    await released(appId, 'sha256:two');
    for (const what of ['stop', 'start', 'restart', 'rollback', 'resume']) await ask(appId, what);
    const events = await api.prisma.auditEvent.findMany({
      where: { objectId: appId, action: { not: 'app.create' } },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ action }) => action)).toEqual([
      'app.stop',
      'app.start',
      'app.restart',
      'app.rollback',
      'app.resume',
    ]);
    for (const what of ['stop', 'start', 'restart', 'rollback', 'resume']) {
      expect((await ask('aaaaaaaaaa', what)).status).toBe(404);
    }
  });
});

describe('A13: a deployment without a build', () => {
  test('has the present settings and the image that runs', async () => {
    const appId = await makeApp();
    const live = await released(appId, 'sha256:one');
    await api.call('patch', `/apps/${appId}`).send({ replicas: 2, memory_mb: 128, build_command: 'make' });
    const answer = await ask(appId, 'deploy', { build: false });
    expect(answer.body).toMatchObject({ trigger: 'settings', image_id: 'sha256:one' });
    const row = await rowOf(answer.body.id);
    expect(row.imageFromId).toBe(live);
    expect(configOf(row)).toMatchObject({ replicas: 2, memoryMb: 128, buildCommand: null });
    await goesLive(appId, row.id);
    expect((await appOf(appId)).pending_changes).toEqual(['build_command']);
  });

  test('needs a release, and takes no commit', async () => {
    const appId = await makeApp();
    expect((await ask(appId, 'deploy', { build: false })).body.code).toBe('no_release');
    const answer = await ask(appId, 'deploy', { build: false, commit_sha: SHA });
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([400, '/build']);
    expect((await ask(appId, 'deploy', { build: true })).body.trigger).toBe('manual');
  });

  test('is no build without cache, which goes by three names', async () => {
    const appId = await makeApp();
    const answer = await ask(appId, 'deploy', { build: false, no_cache: true });
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([400, '/no_cache']);
    for (const name of ['no_cache', 'noCache', 'rebuild']) {
      expect((await ask(appId, 'deploy', { [name]: true })).body).toMatchObject({ no_cache: true });
    }
    expect((await ask(appId, 'deploy')).body).toMatchObject({ no_cache: false, image_reused_from: null });
  });
});

test('F28: an app whose release has crashed says so, how often it fell and why', async () => {
  const appId = await makeApp();
  const id = await released(appId, 'sha256:one');
  await api.prisma.deployment.update({ where: { id }, data: { status: 'crashed' } });
  const windowStart = new Date();
  await api.prisma.releaseHealth.create({
    data: { deploymentId: id, restarts: 6, windowStart, lastCause: 'ended with exit code 1' },
  });
  expect(await appOf(appId)).toMatchObject({
    status: 'crashed',
    live_deployment_id: id,
    health: { restarts: 6, since: windowStart.toISOString(), last_cause: 'ended with exit code 1' },
  });
});
