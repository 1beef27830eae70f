import type Dockerode from 'dockerode';
import type { Platform } from '../platform.ts';

/** What a Docker daemon may hold beside what is ours, made to be taken for ours, and volumes of any kind. */
export interface ForeignObjects {
  readonly containerId: string;
  /** What is missing of them, one sentence each. */
  missing(): Promise<string[]>;
  remove(): Promise<void>;
}

/** A container that bears our names and another installation's label, and three volumes, one of them with our label. */
export async function makeForeignObjects(
  docker: Dockerode,
  { platform, busyboxImage }: { platform: Platform; busyboxImage: string },
): Promise<ForeignObjects> {
  const labels = {
    'berth.instance': `${platform.instance}x`,
    'berth.app': 'soak-0',
    'berth.deployment': 'aaaaaaaaaa',
  };
  const volumes = [
    { Name: 'soak-0-aaaaaaaaaa', Labels: labels },
    { Name: `berth-${platform.instance}`, Labels: {} },
    { Name: 'soak-0-data', Labels: { ...labels, 'berth.instance': platform.instance } },
  ];
  for (const volume of volumes) await docker.createVolume(volume);
  const container = await docker.createContainer({
    name: 'soak-0-aaaaaaaaaa',
    Image: busyboxImage,
    Cmd: ['sleep', '1000000'],
    Labels: labels,
    HostConfig: { Binds: ['soak-0-aaaaaaaaaa:/data'] },
  });
  await container.start();
  return {
    containerId: container.id,
    async missing() {
      const { Volumes } = await docker.listVolumes();
      const names = new Set(Volumes.map(({ Name }) => Name));
      const lost = volumes
        .filter(({ Name }) => !names.has(Name))
        .map(({ Name }) => `the volume ${Name} is gone`);
      const running = await container.inspect().then(
        ({ State }) => State.Running,
        () => false,
      );
      return running ? lost : [...lost, 'the foreign container does not run any more'];
    },
    async remove() {
      await container.remove({ force: true });
      for (const { Name } of volumes) await docker.getVolume(Name).remove();
    },
  };
}
