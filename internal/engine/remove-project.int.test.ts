import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import { markAppsDeleting } from '../apps/app-store.ts';
import { newId } from '../db/ids.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { markProjectDeleting } from '../projects/project-store.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import type { Tools } from './job.ts';
import { reconcile } from './reconcile.ts';
import { removeDeletedApps } from './remove-app.ts';
import { removeDeletedProjects } from './remove-project.ts';

const box = new SealedBox(newKey());
// One test kills the worker at each of its calls.
jest.setTimeout(120_000);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
const prisma = () => database.database.prisma;

interface Doomed {
  readonly projectId: string;
  readonly world: FakeWorld;
  readonly images: Set<string>;
  readonly networks: Set<string>;
}

/** A project of a live app and an idle one whose deletion was asked for, in a world that keeps images and networks. */
async function doomedProject(): Promise<Doomed> {
  const first = await seedApp(prisma(), { name: 'first', healthCheckPath: '/health' });
  const second = await prisma().app.create({
    data: { id: newId(), projectId: first.projectId, name: 'second', repoUrl: first.repoUrl, port: 80 },
  });
  const world = fakeWorld(prisma());
  const images = new Set<string>();
  const networks = new Set<string>();
  world.tools.containers.ensureNetwork = async ({ name }) => void networks.add(name);
  world.tools.containers.removeNetwork = async (name) => void networks.delete(name);
  world.tools.images.list = async ({ appId = '' }) => {
    const image = { imageId: appId, appId, deploymentId: '', createdAt: new Date(), bytes: 1 };
    return images.has(appId) ? [image] : [];
  };
  world.tools.images.remove = async (imageId) => void images.delete(imageId);
  await new TestWorker(box).deploy(world, first.id);
  for (const { id } of [first, second]) images.add(id);
  const { userId } = await prisma().project.findUniqueOrThrow({ where: { id: first.projectId } });
  await markProjectDeleting(prisma(), userId, first.projectId);
  await markAppsDeleting(prisma(), first.projectId);
  return { projectId: first.projectId, world, images, networks };
}

async function pass(tools: Tools): Promise<void> {
  await removeDeletedApps(tools);
  await removeDeletedProjects(tools);
}

async function whatIsLeft({ projectId, world, images, networks }: Doomed) {
  return {
    projects: await prisma().project.count({ where: { id: projectId } }),
    apps: await prisma().app.count({ where: { projectId } }),
    addresses: await prisma().containerAddress.count({ where: { projectId } }),
    deployments: await prisma().deployment.count(),
    hosts: await prisma().host.count(),
    streams: await prisma().logStream.count(),
    containers: world.containers.size,
    images: images.size,
    networks: networks.size,
  };
}

const NOTHING = {
  projects: 0,
  apps: 0,
  addresses: 0,
  deployments: 0,
  hosts: 0,
  streams: 0,
  containers: 0,
  images: 0,
  networks: 0,
};

/** The same tools, whose first `calls` calls to anything work and whose others never come back: a process that died. */
function diesAfter(tools: Tools, calls: number): { tools: Tools; died: Promise<void> } {
  let left = calls;
  let die = () => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const mortal = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value === 'object' && value !== null) return mortal(value);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          left -= 1;
          if (left >= 0) return Reflect.apply(value, target, args) as unknown;
          die();
          return new Promise<never>(() => {});
        };
      },
    });
  const { prisma: rows, containers, images, source, gate } = tools;
  const parts = { prisma: rows, containers, images, source, gate };
  const wrapped = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, mortal(part)]));
  return { tools: { ...tools, ...(wrapped as typeof parts) }, died };
}

test('a project goes with its apps, their containers, images, hosts and lines, and its network', async () => {
  const doomed = await doomedProject();
  expect(await whatIsLeft(doomed)).toMatchObject({ apps: 2, containers: 1, images: 2, networks: 1 });
  await pass(doomed.world.tools);
  expect(await whatIsLeft(doomed)).toEqual(NOTHING);
});

test('a project without apps goes at once, one that nobody deletes stays', async () => {
  const { projectId } = await seedApp(prisma());
  await prisma().app.deleteMany();
  await pass(fakeWorld(prisma()).tools);
  const project = await prisma().project.findUniqueOrThrow({ where: { id: projectId } });
  await markProjectDeleting(prisma(), project.userId, projectId);
  await pass(fakeWorld(prisma()).tools);
  expect(await prisma().project.count({ where: { id: projectId } })).toBe(0);
});

test('T75: killed at any point, the worker leaves what the next one finishes', async () => {
  for (let calls = 0; ; calls += 1) {
    const doomed = await doomedProject();
    const mortal = diesAfter(doomed.world.tools, calls);
    const ended = await Promise.race([
      pass(mortal.tools).then(() => 'done' as const),
      mortal.died.then(() => 'killed' as const),
    ]);
    await pass(doomed.world.tools);
    expect({ calls, ...(await whatIsLeft(doomed)) }).toEqual({ calls, ...NOTHING });
    if (ended === 'done') {
      expect(calls).toBeGreaterThan(15);
      return;
    }
  }
});

test('a network that a late worker has made once more goes with the next reconciliation, others stay', async () => {
  const { projectId } = await seedApp(prisma());
  await prisma().app.deleteMany();
  const networkName = 'abc234-lives';
  await prisma().project.update({ where: { id: projectId }, data: { networkName, subnet: '10.89.7.0/24' } });
  const { tools } = fakeWorld(prisma());
  const networks = new Map([networkName, 'abc234-late'].map((name) => [name, name]));
  tools.repairs.networks = async () => networks;
  tools.containers.removeNetwork = async (name) => void networks.delete(name);
  await reconcile(tools);
  expect([...networks.keys()]).toEqual([networkName]);
});

test('a network that cannot be removed yet keeps the row, by which the next pass tries again', async () => {
  const doomed = await doomedProject();
  const { containers } = doomed.world.tools;
  const inUse = {
    removeNetwork: async () => {
      throw new Error('network has active endpoints');
    },
  };
  await pass({ ...doomed.world.tools, containers: { ...containers, ...inUse } });
  expect(await whatIsLeft(doomed)).toMatchObject({ projects: 1, networks: 1 });
  await pass(doomed.world.tools);
  expect(await whatIsLeft(doomed)).toEqual(NOTHING);
});

test('T75: an app that goes live while the last one of its project is removed can be deployed again', async () => {
  const goner = await seedApp(prisma(), { name: 'goner' });
  const { projectId, repoUrl } = goner;
  const data = { id: newId(), projectId, name: 'comer', repoUrl, port: 80 };
  const world = fakeWorld(prisma());
  const worker = new TestWorker(box);
  const subnets = new Map<string, string>();
  const { containers } = world.tools;
  containers.usedSubnets = async () => [...subnets.values()];
  containers.ensureNetwork = async ({ name, subnet }) => {
    if (!subnets.has(name)) subnets.set(name, subnet);
    if (subnets.get(name) !== subnet) throw new DeploymentFailed('internal', 'It has another subnet.');
  };
  containers.removeNetwork = async (name) => {
    subnets.delete(name);
    await prisma().app.create({ data });
    await worker.deploy(world, data.id);
  };
  await worker.deploy(world, goner.id);
  await prisma().app.update({ where: { id: goner.id }, data: { deletingSince: new Date() } });
  await removeDeletedApps(world.tools);
  expect(await prisma().app.findMany({ where: { projectId }, select: { id: true } })).toEqual([
    { id: data.id },
  ]);
  const id = await worker.deploy(world, data.id);
  expect(await prisma().deployment.findUniqueOrThrow({ where: { id } })).toMatchObject({ status: 'live' });
});
