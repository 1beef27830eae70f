import { afterAll, expect, test } from '@jest/globals';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { BuildLab } from '../../test/support/build-lab.ts';
import { boxName } from './buildkit-plan.ts';

const lab = new BuildLab();
const { docker, instanceId } = lab;
const builder = lab.builder();
const others = new BuildLab();
const made = new Set<string>();

afterAll(async () => {
  const { Volumes } = await docker.listVolumes();
  const left = Volumes.filter(({ Name }) => made.has(Name));
  for (const { Name } of left) await docker.getVolume(Name).remove();
  await Promise.all([lab.close(), others.close()]);
});

test('A9: caches of this installation are listed and removed by name and label; volumes of others stay', async () => {
  for (const app of ['app1', 'app2']) await volume(boxName(instanceId, app), labelsOf(instanceId, app));
  const foreign = [
    await volume(boxName(others.instanceId, 'app1'), labelsOf(others.instanceId, 'app1')),
    // Of our name, and not ours: without labels, with those of another installation or app.
    await volume(boxName(instanceId, 'app3'), {}),
    await volume(boxName(instanceId, 'app4'), labelsOf(others.instanceId, 'app4')),
    await volume(boxName(instanceId, 'app5'), labelsOf(instanceId, 'app6')),
    await volume(`data-${instanceId}`, labelsOf(instanceId, 'app1')),
  ];
  expect((await builder.buildKitCaches()).sort()).toEqual(['app1', 'app2']);

  for (const app of ['app1', 'app3', 'app4', 'app5', 'app6', 'never-there'])
    expect(await builder.removeCache(app)).toBe(true);
  expect(await builder.buildKitCaches()).toEqual(['app2']);
  const { Volumes } = await docker.listVolumes();
  expect(Volumes.map(({ Name }) => Name)).toEqual(expect.arrayContaining(foreign));
});

test('F53: a cache that a container uses is left', async () => {
  const name = await volume(boxName(instanceId, 'used'), labelsOf(instanceId, 'used'));
  const container = await docker.createContainer({
    Image: await ensureBusyboxImage(),
    HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/cache' }] },
  });
  try {
    expect(await builder.removeCache('used')).toBe(false);
    expect(await builder.buildKitCaches()).toContain('used');
  } finally {
    await container.remove();
  }
  expect(await builder.removeCache('used')).toBe(true);
  expect(await builder.buildKitCaches()).not.toContain('used');
});

function labelsOf(instance: string, app: string): Record<string, string> {
  return { 'berth.instance': instance, 'berth.app': app };
}

async function volume(Name: string, Labels: Record<string, string>): Promise<string> {
  await docker.createVolume({ Name, Labels });
  made.add(Name);
  return Name;
}
