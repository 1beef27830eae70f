import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import type { RepositoryFiles } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { PrivateDocker } from '../support/private-docker.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(180_000);

/**
 * `systemctl restart docker` where there is no live-restore: dockerd ends its containers, one after another as they
 * like, and only then itself. With systemd its socket outlives it, so that nobody is refused meanwhile.
 */
const where = PrivateDocker.isPossible ? describe : describe.skip;
where.each([{ heldSocket: false }, { heldSocket: true }])(
  'dockerd stopped under a deployment, its socket held: $heldSocket',
  ({ heldSocket }) => {
    let daemon: PrivateDocker;
    let platform: Platform;
    let busyboxImage: string;

    beforeAll(async () => {
      daemon = await PrivateDocker.start({ liveRestore: false, heldSocket });
      busyboxImage = await ensureBusyboxImage(daemon.docker);
      platform = await startPlatform({
        docker: daemon,
        settings: { LEASE_SECONDS: '4', STOP_GRACE_SECONDS: '1' },
      });
    }, 180_000);
    afterAll(async () => {
      try {
        await platform?.close();
      } finally {
        await daemon?.close();
      }
    }, 120_000);

    /** It listens a while after its start. */
    function app(release: string, listenAfterSeconds = 0): RepositoryFiles {
      return {
        Dockerfile: [
          `FROM ${busyboxImage}`,
          'COPY www /www',
          'EXPOSE 8080',
          `CMD ["sh", "-c", "sleep ${listenAfterSeconds}; exec httpd -f -p 8080 -h /www"]`,
          '',
        ].join('\n'),
        'www/index.html': `${release}\n`,
      };
    }
    async function liveApp(name: string, more: Readonly<Record<string, unknown>> = {}) {
      const repository = await platform.createRepository(name, app('one'));
      const input = { name, repo_url: repository.url, health_check_path: '/', ...more };
      return { repository, ...(await platform.createLiveApp(input)) };
    }
    const attemptOf = async (id: string) =>
      (await platform.prisma.deployment.findUniqueOrThrow({ where: { id } })).attempt;
    const errorsOf = async (id: string) => {
      const lines = await platform.prisma.logLine.findMany({ where: { streamId: id, level: 'error' } });
      return lines.map(({ text }) => text);
    };
    /** Something of that deployment runs that has not ended by itself. */
    const untilOneRuns = (deploymentId: string) =>
      waitUntil(
        'a container of it to run',
        async () => (await platform.containers({ deploymentId })).some(({ running }) => running),
        { timeoutMs: 60_000, explain: () => platform.explain(deploymentId) },
      );

    async function expectServed(of: AppView, release: string): Promise<void> {
      await waitUntil(
        `${of.name} to answer as ${release}`,
        async () => {
          const answer = await platform.http(`${of.name}.localhost`).catch(() => null);
          return answer?.status === 200 && answer.body.trim() === release;
        },
        { timeoutMs: 60_000 },
      );
    }

    test('F14: in the gate: tried again, and live', async () => {
      const { app: gated, repository } = await liveApp('gated');
      await repository.commit(app('two', 3));
      const { id } = await platform.api.deploy(gated.id);
      await platform.waitForStep(id, 'gating');
      await untilOneRuns(id);
      await daemon.restart('SIGTERM');
      await platform.waitForStatus(id, 'live', 120_000);
      expect(await attemptOf(id)).toBe(2);
      expect((await errorsOf(id)).join()).toMatch(/^Docker .* Check that the Docker daemon runs\.$/);
      await platform.waitForEndOfDrain(id);
      await expectServed(gated, 'two');
    });

    test('F14: in the drain: the new release stays live, and the one before is retired', async () => {
      const { app: drained, deployment, repository } = await liveApp('drained', { drain_seconds: 120 });
      const [previous] = await platform.containers({ deploymentId: deployment.id });
      await repository.commit(app('two'));
      const stillTalking = connect(8080, previous?.address ?? '').on('error', () => undefined);
      await once(stillTalking, 'connect');
      try {
        const { id } = await platform.api.deploy(drained.id);
        await platform.waitForStep(id, 'draining');
        await daemon.restart('SIGTERM');
        stillTalking.destroy();
        await platform.waitForEndOfDrain(id, 120_000);
        expect((await platform.api.deployment(id)).status).toBe('live');
        expect((await platform.api.deployment(deployment.id)).status).toBe('retired');
        await expectServed(drained, 'two');
        expect(
          (await platform.containers({ appId: drained.id })).map(({ deploymentId }) => deploymentId),
        ).toEqual([id]);
      } finally {
        stillTalking.destroy();
      }
    });

    test('F14: during the release command: run again, and live', async () => {
      const { app: released } = await liveApp('released');
      await platform.api.changeApp(released.id, { release_command: 'sleep 4' });
      const { id } = await platform.api.deploy(released.id);
      await platform.waitForStep(id, 'releasing');
      await untilOneRuns(id);
      await daemon.restart('SIGTERM');
      await platform.waitForStatus(id, 'live', 120_000);
      expect(await attemptOf(id)).toBe(2);
      await platform.waitForEndOfDrain(id);
    });
  },
);
