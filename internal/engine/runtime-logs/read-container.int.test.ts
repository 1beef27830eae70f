import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage } from '../../../test/support/base-image.ts';
import { ContainerLab } from '../../../test/support/container-lab.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { seedApp } from '../../../test/support/seed.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import { systemClock } from '../../clock/clock.ts';
import { type App, openDatabase, type PrismaClient } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { DockerRuntimeLogs } from '../../dockerrun/runtime-logs.ts';
import { createLogger } from '../../logger/logger.ts';
import { runtimeStreamId } from '../../logs/runtime-stream.ts';
import { Secret } from '../../secrets/secret.ts';
import type { RunningContainer, RuntimeLogs } from '../ports.ts';
import { collectRuntimeLogs } from './collect-runtime-logs.ts';
import { Collector } from './collector.ts';
import { endContainer } from './end-container.ts';
import { type ReadTools, readContainer } from './read-container.ts';

jest.setTimeout(60_000);

const logger = createLogger({ level: 'silent', process: 'worker' });

describe('reading what a container writes', () => {
  let lab: ContainerLab;
  let db: TestDatabase;
  let prisma: PrismaClient;
  let image: string;
  let app: App;
  let runtimeLogs: RuntimeLogs;
  const running: AbortController[] = [];

  beforeAll(async () => {
    [lab, db, image] = await Promise.all([ContainerLab.open(), createTestDatabase(), ensureBusyboxImage()]);
    prisma = db.database.prisma;
    runtimeLogs = new DockerRuntimeLogs({ docker: lab.docker, instanceId: lab.instanceId, logger });
  });
  afterAll(async () => {
    await lab.close();
    await db.close();
  });
  beforeEach(async () => {
    app = await seedApp(prisma);
  });
  afterEach(() => {
    for (const one of running.splice(0)) one.abort();
  });

  const tools = (more: Partial<ReadTools> = {}): ReadTools => ({
    prisma,
    runtimeLogs,
    clock: systemClock,
    logger,
    releaseSecrets: async () => [],
    ...more,
  });
  const signal = () => {
    const controller = new AbortController();
    running.push(controller);
    return controller.signal;
  };

  /** A container of the app that runs this shell script. */
  async function start(script: string, replica = 1): Promise<RunningContainer> {
    const deploymentId = newId();
    return lab.start(
      lab.request(image, {
        ref: { deploymentId, attempt: 1, appId: app.id, appName: 'web', projectId: 'p', ownerHash: 'owner' },
        containerName: `web-${deploymentId}`,
        command: ['sh', '-c', script],
        replica,
      }),
    );
  }

  const lines = () =>
    prisma.logLine.findMany({ where: { streamId: runtimeStreamId(app.id) }, orderBy: { seq: 'asc' } });
  const texts = async () => (await lines()).map(({ text }) => text);
  /** Writes numbered lines of 1 KB. */
  const wide = (from: number, to: number) =>
    `awk 'BEGIN { for (i = ${from}; i <= ${to}; i++) printf "%d %01000d\\n", i, 0 }'`;
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));

  test('stores each line with its stream, level, release, replica and the time it was written', async () => {
    const before = Date.now();
    const container = await start('echo out; sleep 0.2; echo err >&2', 3);
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    const after = Date.now();
    await readContainer(container, tools(), { signal: signal() });
    const stored = await lines();
    const origin = { deploymentId: container.deploymentId, replica: 3, source: 'runtime' };
    expect(stored).toMatchObject([
      { ...origin, seq: 1n, stream: 'stdout', level: 'info', text: 'out' },
      { ...origin, seq: 2n, stream: 'stderr', level: 'error', text: 'err' },
    ]);
    for (const { at } of stored) {
      expect(at.getTime()).toBeGreaterThanOrEqual(before - 1);
      expect(at.getTime()).toBeLessThanOrEqual(after);
    }
  });

  test('a line is stored soon after it is written, while the container runs on', async () => {
    const container = await start('sleep 0.5; echo now; sleep 60');
    void readContainer(container, tools(), { signal: signal() }).catch(() => undefined);
    await waitUntil('the line', async () => (await lines()).length === 1, { intervalMs: 5 });
    const [line] = await lines();
    // The wait above polls; this is the time until it was seen here.
    expect(Date.now() - (line?.at.getTime() ?? 0)).toBeLessThan(10_000);
  });

  test('A14: nothing is lost or doubled when readers are cut off and take over from each other, again and again', async () => {
    const count = 10_000;
    const container = await start(`seq 1 ${count}; sleep 0.2; seq ${count + 1} ${count + 5} >&2`);
    for (;;) {
      const cut = new AbortController();
      const stored = (await lines()).length;
      // Two at once, as when a worker has lost the duty and does not know it yet.
      const readers = [1, 2].map(() =>
        readContainer(container, tools(), { signal: cut.signal }).then(
          () => true,
          () => false,
        ),
      );
      await waitUntil(
        'some more lines',
        async () => {
          const now = await prisma.logStream.findUnique({ where: { id: runtimeStreamId(app.id) } });
          return (
            Number(now?.lastSeq ?? 0) > stored || (await Promise.race([...readers, Promise.resolve(false)]))
          );
        },
        { intervalMs: 1 },
      );
      const ended = Promise.all(readers);
      if ((await lines()).length >= count + 5) break;
      cut.abort();
      await ended;
    }
    expect(await texts()).toEqual(numbers(count + 5));
  });

  test('A14: an answer of the database that is lost neither loses nor doubles lines', async () => {
    const container = await start('seq 1 5000; sleep 0.1; echo end');
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    // Small batches over a pool whose connections break.
    const fragile = openDatabase(db.url, logger, { maxConnections: 2 });
    try {
      const breaking = setInterval(() => {
        void prisma.$queryRaw`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and query ilike '%log_cursors%' and pid <> pg_backend_pid()`.catch(
          () => undefined,
        );
      }, 20);
      setTimeout(() => clearInterval(breaking), 1_500);
      await readContainer(container, tools({ prisma: fragile.prisma }), { signal: signal() });
      clearInterval(breaking);
    } finally {
      await fragile.close();
    }
    expect(await texts()).toEqual([...numbers(5000), 'end']);
  });

  test('F17: an Engine that tells a rotated log again when the container ends', async () => {
    // Docker rotates at 10 MB; 20.10 then tells the second file again, or stops early.
    const count = 16_000;
    const container = await start(`${wide(1, 6000)}; sleep 3; ${wide(6001, count)}; sleep 2; echo end`);
    await readContainer(container, tools(), { signal: signal() });
    expect((await texts()).map((text) => text.split(' ')[0])).toEqual([...numbers(count), 'end']);
  });

  test('T39: of what Docker has rotated away before it was read, the place is marked', async () => {
    const container = await start(`echo first; while [ ! -e /go ]; do sleep 0.1; done; ${wide(1, 40_000)}`);
    const cut = new AbortController();
    const first = readContainer(container, tools(), { signal: cut.signal }).catch(() => undefined);
    await waitUntil('the first line', async () => (await lines()).length === 1);
    cut.abort();
    await first;
    const go = await lab.docker.getContainer(container.containerId).exec({ Cmd: ['touch', '/go'] });
    await go.start({});
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    await readContainer(container, tools(), { signal: signal() });
    const [line, marker, ...rest] = await texts();
    expect(line).toBe('first');
    expect(marker).toMatch(/^Lines may be missing here/);
    // All that Docker still has, without a gap: 20 MB at least.
    const kept = rest.map((text) => Number(text.split(' ')[0]));
    expect(kept.length).toBeGreaterThan(18_000);
    expect(kept).toEqual(numbers(40_000).slice(-kept.length).map(Number));
  });

  test('T39: … and of what was rotated away before anything was read', async () => {
    const container = await start(wide(1, 40_000));
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    await readContainer(container, tools(), { signal: signal() });
    const all = await texts();
    const kept = all.filter((text) => /^\d+ /.test(text)).map((text) => text.split(' ')[0]);
    expect(kept).toEqual(numbers(40_000).slice(-kept.length));
    expect(all.filter((text) => text.startsWith('The first lines may be missing'))).toHaveLength(1);
    expect(all).toHaveLength(kept.length + 1);
  });

  test('T39: a flood that outruns Docker itself is stored without a gap, or the gap is marked', async () => {
    const container = await start(`sleep 1; ${wide(1, 90_000)}; sleep 1; echo end`);
    await readContainer(container, tools(), { signal: signal() });
    const all = ['0', ...(await texts()).map((text) => text.split(' ')[0] ?? '')];
    const isNumber = (text = '') => /^\d+$/.test(text);
    const unmarked = all.filter((text, at) => {
      const before = all[at - 1];
      return isNumber(text) && isNumber(before) && Number(text) !== Number(before) + 1;
    });
    expect(unmarked).toEqual([]);
    expect(all.at(-1)).toBe('end');
  });

  test('T24, T66, T68: what is stored is masked, acts on no terminal, and a long line is cut', async () => {
    const container = await start(
      `echo key=canary-one; printf '\\033]52;c;aGk=\\007\\033[2Jtext\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo canary-one`,
    );
    await readContainer(container, tools({ releaseSecrets: async () => [new Secret('canary-one')] }), {
      signal: signal(),
    });
    const [first, second, ...long] = await texts();
    expect([first, second]).toEqual(['key=***', 'text']);
    expect(long.join('')).toBe(`${'x'.repeat(40_000)}***`);
    expect(long.every((text) => text.length <= 16 * 1024)).toBe(true);
  });

  test('the last words of a container are stored before it is removed, whether or not a collector reads it too', async () => {
    for (const isCollected of [true, false]) {
      const container = await start(
        `trap 'echo bye ${isCollected}; exit' TERM; echo ready; while :; do sleep 0.05; done`,
      );
      const collector = new Collector({ ...tools(), containers: lab.runner });
      if (isCollected) collector.read([container]);
      await waitUntil(
        'it is ready',
        async () => (await lab.runner.logTail(container.containerId, 1))[0] === 'ready',
      );
      await endContainer({ ...tools(), containers: lab.runner }, container, 5);
      expect(await lab.runner.state(container.containerId)).toBeNull();
      expect((await texts()).filter((text) => text === `bye ${isCollected}`)).toHaveLength(1);
      await collector.stop();
    }
    expect(await texts()).toEqual(['ready', 'bye true', 'ready', 'bye false']);
  });

  test('the collector merges replicas, finds containers that appear, and reads one that starts again', async () => {
    const collector = new Collector({ ...tools(), containers: lab.runner });
    const watched: (string | null)[] = [];
    void runtimeLogs.watch((id) => {
      watched.push(id);
      collector.changed(id);
      void lab.runner.list({ appId: app.id }).then((all) => collector.read(all));
    }, signal());
    await waitUntil('events to be listened to', () => watched.length > 0);
    const one = await start('echo one; sleep 1000', 1);
    const two = await start('echo two; while [ ! -e /again ]; do touch /again; exit; done; echo again', 2);
    await waitUntil('both', async () => (await texts()).length === 2);
    expect(new Set((await lines()).map(({ replica }) => replica))).toEqual(new Set([1, 2]));
    await lab.until(two, 'ended', ({ status }) => status === 'exited');
    await lab.docker.getContainer(two.containerId).start();
    await waitUntil('its second life', async () => (await texts()).includes('again'));
    expect((await texts()).toSorted()).toEqual(['again', 'one', 'two', 'two']);
    await collector.stop();
    expect(watched).toContain(one.containerId);
  });

  test('A14: one worker has the duty; when it ends, the next one goes on where it was', async () => {
    const container = await start('i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done');
    const of = (id: string) => {
      const stop = new AbortController();
      running.push(stop);
      const settings = { runtimeLogMaxMb: 50, runtimeLogMaxDays: 7, buildLogMaxDays: 30 };
      const done = collectRuntimeLogs(
        { ...tools(), containers: lab.runner, settings },
        { identity: { id }, pollIntervalMs: 100, signal: stop.signal },
      );
      return { stop, done };
    };
    const holder = async () =>
      (await prisma.leaderLease.findUnique({ where: { duty: 'log-collector' } }))?.holder;
    const moreLines = async () => {
      const before = (await lines()).length;
      await waitUntil('more lines', async () => (await lines()).length > before + 20);
    };
    const one = of('one');
    await moreLines();
    const two = of('two');
    await moreLines();
    expect(await holder()).toBe('one');
    one.stop.abort();
    await one.done;
    await moreLines();
    expect(await holder()).toBe('two');
    two.stop.abort();
    await two.done;
    expect(await holder()).toBeUndefined();
    expect(await texts()).toEqual(numbers((await lines()).length));
    await lab.runner.stopAndRemove(container, 0);
  });

  test('of an app that is gone nothing is stored, and reading ends', async () => {
    const container = await start('echo one');
    await lab.until(container, 'ended', ({ status }) => status === 'exited');
    await prisma.app.delete({ where: { id: app.id } });
    await readContainer(container, tools(), { signal: signal() });
    expect(await texts()).toEqual([]);
    expect(await prisma.logCursor.count({ where: { containerId: container.containerId } })).toBe(0);
  });
});
