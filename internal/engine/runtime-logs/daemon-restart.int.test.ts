import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ContainerLab } from '../../../test/support/container-lab.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { PrivateDocker } from '../../../test/support/private-docker.ts';
import { seedApp } from '../../../test/support/seed.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import { systemClock } from '../../clock/clock.ts';
import { DockerRuntimeLogs } from '../../dockerrun/runtime-logs.ts';
import { createLogger } from '../../logger/logger.ts';
import { runtimeStreamId } from '../../logs/runtime-stream.ts';
import { collectRuntimeLogs } from './collect-runtime-logs.ts';

const logger = createLogger({ level: 'silent', process: 'worker' });

const where = PrivateDocker.isPossible ? describe : describe.skip;
where('a restart of the daemon under a collected container', () => {
  let daemon: PrivateDocker;
  let lab: ContainerLab;
  let db: TestDatabase;

  beforeAll(async () => {
    daemon = await PrivateDocker.start();
    lab = await ContainerLab.open(daemon.docker);
    db = await createTestDatabase();
  }, 300_000);
  afterAll(async () => {
    try {
      await daemon?.close();
    } finally {
      await lab?.close();
      await db?.close();
    }
  }, 120_000);

  test('F17: its lines go on when the daemon is back, none lost or doubled, over SIGTERM and SIGKILL', async () => {
    const { prisma } = db.database;
    const app = await seedApp(prisma);
    const ref = {
      deploymentId: 'web',
      attempt: 1,
      appId: app.id,
      appName: 'web',
      projectId: 'p',
      ownerHash: 'o',
    };
    const count = 'i=0; while :; do i=$((i+1)); echo $i; /busybox usleep 20000; done';
    await lab.start(lab.request(await lab.scratchImage(), { ref, command: ['/busybox', 'sh', '-c', count] }));
    const stop = new AbortController();
    const collecting = collectRuntimeLogs(
      {
        prisma,
        logger,
        runtimeLogs: new DockerRuntimeLogs({ docker: daemon.docker, instanceId: lab.instanceId, logger }),
        releaseSecrets: async () => [],
        containers: lab.runner,
        clock: systemClock,
        settings: { runtimeLogMaxMb: 50, runtimeLogMaxDays: 7, buildLogMaxDays: 30 },
      },
      { identity: { id: 'one' }, pollIntervalMs: 500, signal: stop.signal },
    );
    const streamId = runtimeStreamId(app.id);
    const stored = async () =>
      Number((await prisma.logStream.findUnique({ where: { id: streamId } }))?.lastSeq ?? 0);
    const more = async (lines: number) => {
      const before = await stored();
      await waitUntil(`${lines} more lines`, async () => (await stored()) >= before + lines);
    };
    try {
      await more(20);
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await daemon.restart(signal);
        await more(50);
      }
    } finally {
      stop.abort();
      await collecting;
    }
    const lines = await prisma.logLine.findMany({ where: { streamId }, orderBy: { seq: 'asc' } });
    expect(lines.map(({ text }) => Number(text))).toEqual(lines.map((_, index) => index + 1));
  }, 360_000);
});
