import { Router } from 'express';
import { invalid, notFound, page } from './answers.ts';
import { type Permission, repositoryFinder } from './find-repository.ts';
import { type Addresses, viewAccount, viewDeployment, viewDeploymentStatus } from './shapes.ts';
import { type Deployment, fullName, type Repository, type World } from './world.ts';

const COMMIT_STATES = ['error', 'failure', 'pending', 'success'];
const DEPLOYMENT_STATES = [...COMMIT_STATES, 'inactive', 'queued', 'in_progress'];
const MAX_DESCRIPTION = 140;
const STATUSES: Permission = { permission: 'statuses', scopes: ['repo', 'repo:status'], role: 'write' };
const DEPLOYMENTS: Permission = {
  permission: 'deployments',
  scopes: ['repo', 'repo_deployment'],
  role: 'write',
};

/** Commit statuses and Deployments of one repository. */
export function reportRoutes(world: World, at: Addresses): Router {
  const router = Router();
  const urlOf = (request: { originalUrl: string }) => new URL(request.originalUrl, at.url);
  const find = repositoryFinder(world, at);

  router.post('/repos/:owner/:name/statuses/:sha', async (request, response) => {
    const repository = find.toWrite(request, response, STATUSES);
    const { sha } = request.params;
    const body = request.body as Record<string, string | undefined>;
    const state = body['state'] ?? '';
    if (!COMMIT_STATES.includes(state)) throw invalid('Status', 'state is not included in the list');
    if ((body['description'] ?? '').length > MAX_DESCRIPTION) {
      throw invalid('Status', 'description is too long (maximum is 140 characters)');
    }
    if (!(await hasCommit(repository, sha))) {
      throw invalid('Status', `No commit found for SHA: ${sha}`);
    }
    const status = {
      repositoryId: repository.id,
      sha,
      state,
      context: body['context'] ?? 'default',
      description: body['description'] ?? null,
      target_url: body['target_url'] ?? null,
    };
    world.statuses.push(status);
    const { repositoryId: _, sha: __, ...told } = status;
    response.status(201).json({
      ...told,
      url: `${at.apiUrl}/repos/${fullName(repository)}/statuses/${sha}`,
      avatar_url: null,
      id: world.nextId(),
      node_id: 'MDEzOlN0YXR1c0NvbnRleHQx',
      created_at: '2026-05-15T15:20:33Z',
      updated_at: '2026-05-15T15:20:33Z',
      creator: viewAccount(repository.owner, at),
    });
  });

  router.get('/repos/:owner/:name/deployments', (request, response) => {
    const repository = find.toRead(request, response);
    const { searchParams } = urlOf(request);
    const wanted = (name: 'sha' | 'ref' | 'task' | 'environment', value: string) =>
      searchParams.get(name) === null || searchParams.get(name) === value;
    const found = world.deployments
      .filter(
        (one) =>
          one.repositoryId === repository.id &&
          (['sha', 'ref', 'task', 'environment'] as const).every((name) => wanted(name, one[name])),
      )
      .toReversed();
    response.json(page(urlOf(request), response, found).map((one) => viewDeployment(one, repository, at)));
  });

  router.post('/repos/:owner/:name/deployments', async (request, response) => {
    const repository = find.toWrite(request, response, DEPLOYMENTS);
    const body = request.body as Partial<
      Pick<Deployment, 'ref' | 'task' | 'environment' | 'description' | 'payload'>
    >;
    const ref = body.ref ?? '';
    const sha = await repository.git
      .git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`)
      .catch(() => '');
    if (sha === '') throw invalid('Deployment', `No ref found for: ${ref}`);
    const deployment = {
      id: world.nextId(),
      repositoryId: repository.id,
      sha,
      ref,
      task: body.task ?? 'deploy',
      environment: body.environment ?? 'production',
      description: body.description ?? null,
      payload: body.payload ?? {},
      statuses: [],
    };
    world.deployments.push(deployment);
    response.status(201).json(viewDeployment(deployment, repository, at));
  });

  router.post('/repos/:owner/:name/deployments/:id/statuses', (request, response) => {
    const repository = find.toWrite(request, response, DEPLOYMENTS);
    const deployment = world.deployments.find(
      (one) => one.repositoryId === repository.id && String(one.id) === request.params.id,
    );
    if (!deployment) throw notFound();
    const body = request.body as Record<string, string | undefined>;
    const state = body['state'] ?? '';
    if (!DEPLOYMENT_STATES.includes(state)) {
      throw invalid('DeploymentStatus', 'state is not included in the list');
    }
    if ((body['description'] ?? '').length > MAX_DESCRIPTION) {
      throw invalid('DeploymentStatus', 'description is too long (maximum is 140 characters)');
    }
    const status = {
      id: world.nextId(),
      state,
      description: body['description'] ?? '',
      environment_url: body['environment_url'] ?? '',
      log_url: body['log_url'] ?? '',
    };
    deployment.statuses.push(status);
    response.status(201).json(viewDeploymentStatus(status, { deployment, repository }, at));
  });

  return router;
}

async function hasCommit({ git }: Repository, sha: string): Promise<boolean> {
  return git.git('cat-file', '-e', `${sha}^{commit}`).then(
    () => true,
    () => false,
  );
}
