import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ContainerLab } from '../../test/support/container-lab.ts';
import { PrivateDocker } from '../../test/support/private-docker.ts';
import { waitUntil } from '../../test/support/wait-until.ts';

// Each test awaits a daemon that begins anew.
jest.setTimeout(240_000);

const isHealthy = ({ health }: { health: string }) => health === 'healthy';

/** Docker with live-restore: the daemon ends, the containers run on, and the new daemon takes them over. */
const where = PrivateDocker.isPossible ? describe : describe.skip;
where('a restart of the daemon under running containers', () => {
  let daemon: PrivateDocker;
  let lab: ContainerLab;
  let scratch: string;

  beforeAll(async () => {
    daemon = await PrivateDocker.start();
    lab = await ContainerLab.open(daemon.docker);
    scratch = await lab.scratchImage();
  }, 300_000);
  afterAll(async () => {
    try {
      await daemon?.close();
    } finally {
      await lab?.close();
    }
  }, 120_000);

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'F17: a routed release stays healthy over %s',
    async (signal) => {
      const request = lab.request(scratch);
      const container = await lab.start(request);
      await lab.gate.open(request.ref, 1);
      await lab.until(container, 'healthy', isHealthy);
      const before = await lab.runner.state(container.containerId);
      await lab.gate.markRouted(request.ref, 1);
      await waitUntil('the check to hold', async () => {
        const { Processes } = await daemon.docker.getContainer(container.containerId).top();
        return JSON.stringify(Processes).includes('sleep 3600');
      });

      await daemon.restart(signal);
      const after = await lab.until(container, 'healthy', isHealthy);
      expect(after.startedAt).toBe(before?.startedAt);
    },
  );

  test('F14: the gate of a candidate works on once its health check is started again', async () => {
    const request = lab.request(scratch);
    const container = await lab.start(request);
    await waitUntil('the check to wait', async () => {
      const { Processes } = await daemon.docker.getContainer(container.containerId).top();
      return JSON.stringify(Processes).includes('/.berth/check');
    });
    await daemon.restart('SIGKILL');
    await lab.gate.open(request.ref, 1);
    await lab.runner.restartHealthCheck(container.containerId);
    await lab.until(container, 'healthy', isHealthy);
  });
});
