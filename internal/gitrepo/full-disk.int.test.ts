import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { createGitRepository, type GitRepository, serveGit } from '../../test/support/git-repository.ts';
import { gitProcessesIn } from '../../test/support/left-on-disk.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { SmallDisk } from '../../test/support/small-disk.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { App } from '../db/database.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import type { GitHttpServer } from '../host/git-http-server.ts';
import { createLogger } from '../logger/logger.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { GitCheckout } from './checkout.ts';
import { Mirrors } from './mirrors.ts';

jest.setTimeout(60_000);

const MEGABYTES = 4;
const INODES = 100;

// Without root, or in a container that may not mount, there is no disk to fill.
const where = SmallDisk.isPossible ? describe : describe.skip;
where('F24: the disk of the clones is full', () => {
  const box = new SealedBox(newKey());
  let database: TestDatabase;
  let small: GitRepository;
  let large: GitRepository;
  let many: GitRepository;
  let server: GitHttpServer;
  let disk: SmallDisk;
  let world: FakeWorld;
  let app: App;

  beforeAll(async () => {
    database = await createTestDatabase();
    small = await createGitRepository({ Dockerfile: 'FROM scratch\n' }, { name: 'small.git' });
    const { folder } = small;
    const blob = randomBytes(2 * MEGABYTES * 1024 * 1024);
    large = await createGitRepository({ Dockerfile: 'FROM scratch\n', blob }, { folder, name: 'large.git' });
    const files = Object.fromEntries(Array.from({ length: 2 * INODES }, (_, at) => [`file-${at}`, `${at}`]));
    many = await createGitRepository(files, { folder, name: 'many.git' });
    server = await serveGit(folder);
  });
  afterAll(async () => {
    await server?.close();
    await small?.remove();
    await database?.close();
  });
  beforeEach(async () => {
    disk = SmallDisk.mount({ megabytes: MEGABYTES, inodes: INODES });
    world = fakeWorld(prisma());
    app = await seedApp(prisma(), { healthCheckPath: '/health' });
  });
  afterEach(async () => {
    const left = gitProcessesIn(disk.path);
    disk.unmount();
    await prisma().app.deleteMany();
    expect(left).toEqual([]);
  });

  const prisma = () => database.database.prisma;

  /** Mirrors are no leftover, but for one that was not given back. */
  const left = () =>
    readdirSync(disk.path, { recursive: true })
      .map(String)
      .filter((name) => !name.startsWith('.mirrors') || /^\.mirrors\/[^/]*\.[^/]*$/.test(name));

  async function request(repository: GitRepository): Promise<string> {
    const repoUrl = server.url(repository.name);
    await prisma().app.update({ where: { id: app.id }, data: { repoUrl } });
    return (await requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box)).id;
  }

  /** One attempt; what there is to clone is cloned by Git itself. */
  async function work(): Promise<void> {
    const source = new GitCheckout({
      workDir: disk.path,
      mirrors: new Mirrors(join(disk.path, '.mirrors')),
      allowedHosts: [],
      privateHosts: [server.host],
      timeoutSeconds: 20,
      maxMegabytes: 50,
      logger: createLogger({ level: 'silent', process: 'worker' }),
    });
    await new TestWorker(box).work({ ...world.tools, source });
  }

  test.each<[string, () => GitRepository, () => void]>([
    ['has no room for the repository', () => large, () => undefined],
    ['has fewer inodes than the repository files', () => many, () => undefined],
    ['has no space at all', () => small, () => disk.fill()],
    ['has no inode at all', () => small, () => disk.fillInodes()],
  ])('%s: told by its own code, nothing left, and the next one goes live', async (_how, repository, fill) => {
    fill();
    const fillers = left();
    const id = await request(repository());
    for (let attempt = 1; attempt <= 3; attempt++) {
      await work();
      expect(left()).toEqual(fillers);
      await prisma().deployment.update({ where: { id }, data: { notBefore: null } });
    }
    const failed = await prisma().deployment.findUniqueOrThrow({ where: { id } });
    expect(failed).toMatchObject({ status: 'failed', failureCode: 'clone_disk_full', attempt: 3 });
    expect(failed.failureReason).not.toContain(disk.path);

    disk.free();
    const next = await request(small);
    await work();
    expect(await prisma().deployment.findUniqueOrThrow({ where: { id: next } })).toMatchObject({
      status: 'live',
    });
    expect(left()).toEqual([]);
  });
});
