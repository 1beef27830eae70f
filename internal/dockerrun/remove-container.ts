import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { dockerCall, messageOf, statusOf, unlessDone } from './docker-call.ts';

const ASK_AGAIN_MS = 100;
const REMOVAL_DEADLINE_MS = 30_000;

/**
 * Restart policy `no`, the image's stop signal, the grace, SIGKILL. Each part may be done already, by us before a crash
 * or by hand. Policy first: with `always` a daemon that dies in between would bring the container back.
 */
export async function stopContainer(
  docker: Docker,
  containerId: string,
  graceSeconds: number,
): Promise<void> {
  const container = docker.getContainer(containerId);
  try {
    await setRestartPolicy(docker, containerId, 'no');
  } catch (error) {
    // Of one that is going or whose removal failed half-way (dead) nothing can be set, which Docker calls an error of its
    // own (500); what counts is that it goes.
    if (statusOf(error) === null) throw error;
  }
  try {
    // The daemon answers when the container has ended: the grace comes on top of the deadline.
    await unlessDone(
      dockerCall('stop the container', container.stop({ t: graceSeconds }), (graceSeconds + 30) * 1000),
    );
  } catch (error) {
    // 409: it is being removed, or was never started; what counts is that it goes.
    if (statusOf(error) !== 409) throw error;
  }
}

/** Gone: no error. */
export async function setRestartPolicy(
  docker: Docker,
  containerId: string,
  policy: 'no' | 'always',
): Promise<void> {
  const container = docker.getContainer(containerId);
  await unlessDone(
    dockerCall('set the restart policy', container.update({ RestartPolicy: { Name: policy } })),
  );
}

/**
 * Kills and removes it, and waits till it is gone; by default with its anonymous volumes, for an image's VOLUME makes one
 * each time.
 */
export async function removeContainer(
  docker: Docker,
  containerId: string,
  { volumes = true }: { volumes?: boolean } = {},
): Promise<void> {
  const container = docker.getContainer(containerId);
  const deadline = performance.now() + REMOVAL_DEADLINE_MS;
  for (;;) {
    try {
      await unlessDone(dockerCall('remove a container', container.remove({ v: volumes, force: true })));
      return;
    } catch (error) {
      const underWay = statusOf(error) === 409 && /already in progress/i.test(messageOf(error));
      if (!underWay || performance.now() > deadline) throw error;
      await delay(ASK_AGAIN_MS);
    }
  }
}
