import type { App, PrismaClient } from '../../internal/db/database.ts';
import { newId, newUserHash } from '../../internal/db/ids.ts';

/** An app with its user and project, as little as a test of the rules needs. */
export async function seedApp(
  prisma: PrismaClient,
  app: Partial<Pick<App, 'name' | 'replicas' | 'healthCheckPath' | 'drainSeconds' | 'port'>> = {},
): Promise<App> {
  const hash = newUserHash();
  const user = await prisma.user.create({ data: { id: newId(), hash, name: 'test', role: 'owner' } });
  const project = await prisma.project.create({
    data: { id: newId(), userId: user.id, name: 'default', networkName: `${hash}-default` },
  });
  const name = app.name ?? 'web';
  const id = newId();
  return prisma.app.create({
    data: {
      id,
      projectId: project.id,
      repoUrl: 'https://github.com/example/web.git',
      ...app,
      name,
      hosts: { create: { host: `${name}-${id}.localhost`, kind: 'generated' } },
    },
  });
}
