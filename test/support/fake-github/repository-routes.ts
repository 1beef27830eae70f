import { Router } from 'express';
import { invalid, notFound, page } from './answers.ts';
import { type Permission, repositoryFinder } from './find-repository.ts';
import { type Addresses, viewHook, viewRepository } from './shapes.ts';
import { fullName, type Hook, type World } from './world.ts';

const HOOKS: Permission = {
  permission: 'repository_hooks',
  scopes: ['repo', 'admin:repo_hook', 'write:repo_hook'],
  role: 'admin',
};

/** One repository, its branches and its webhooks. */
export function repositoryRoutes(world: World, at: Addresses): Router {
  const router = Router();
  const urlOf = (request: { originalUrl: string }) => new URL(request.originalUrl, at.url);
  const find = repositoryFinder(world, at);

  router.get('/repos/:owner/:name', (request, response) => {
    response.json(viewRepository(find.toRead(request, response), at));
  });

  router.get('/repos/:owner/:name/branches', async (request, response) => {
    const repository = find.toRead(request, response);
    const lines = await repository.git.git(
      'for-each-ref',
      '--format=%(refname:lstrip=2) %(objectname)',
      'refs/heads',
    );
    const branches = lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', sha = ''] = line.split(' ');
        const url = `${at.apiUrl}/repos/${fullName(repository)}/commits/${sha}`;
        return { name, commit: { sha, url }, protected: false };
      });
    response.json(page(urlOf(request), response, branches));
  });

  router.get('/repos/:owner/:name/hooks', (request, response) => {
    const repository = find.toWrite(request, response, HOOKS);
    const hooks = world.hooks.filter(({ repositoryId }) => repositoryId === repository.id);
    response.json(page(urlOf(request), response, hooks).map((one) => viewHook(one, repository, at)));
  });

  router.post('/repos/:owner/:name/hooks', (request, response) => {
    const repository = find.toWrite(request, response, HOOKS);
    const body = request.body as Partial<Pick<Hook, 'events' | 'active'>> & {
      config?: Partial<Hook['config']>;
    };
    const url = body.config?.url;
    if (url === undefined || !URL.canParse(url)) throw invalid('Hook', 'url is not a valid URL');
    if (world.hooks.some((one) => one.repositoryId === repository.id && one.config.url === url)) {
      throw invalid('Hook', 'Hook already exists on this repository');
    }
    const hook: Hook = {
      id: world.nextId(),
      repositoryId: repository.id,
      events: body.events ?? ['push'],
      active: body.active ?? true,
      config: {
        url,
        content_type: body.config?.content_type ?? 'form',
        insecure_ssl: body.config?.insecure_ssl ?? '0',
        ...(body.config?.secret === undefined ? {} : { secret: body.config.secret }),
      },
    };
    world.hooks.push(hook);
    response.status(201).json(viewHook(hook, repository, at));
  });

  router.patch('/repos/:owner/:name/hooks/:id', (request, response) => {
    const repository = find.toWrite(request, response, HOOKS);
    const index = world.hooks.findIndex(
      (one) => one.repositoryId === repository.id && String(one.id) === request.params.id,
    );
    const before = world.hooks[index];
    if (!before) throw notFound();
    const body = request.body as Partial<Pick<Hook, 'events' | 'active' | 'config'>>;
    const hook = { ...before, ...body, id: before.id, repositoryId: repository.id };
    world.hooks[index] = hook;
    response.json(viewHook(hook, repository, at));
  });

  router.delete('/repos/:owner/:name/hooks/:id', (request, response) => {
    const repository = find.toWrite(request, response, HOOKS);
    const index = world.hooks.findIndex(
      (one) => one.repositoryId === repository.id && String(one.id) === request.params.id,
    );
    if (index < 0) throw notFound();
    world.hooks.splice(index, 1);
    response.status(204).end();
  });

  return router;
}
