import { type Response, Router } from 'express';
import { invalid, notFound, page, Refusal, suspended } from './answers.ts';
import { covers, maySee, roleOf } from './may-do.ts';
import {
  type Addresses,
  viewApp,
  viewInstallation,
  viewOrganisation,
  viewRepository,
  viewUser,
} from './shapes.ts';
import { actorOf, installationForApp, installationOf, requireApp, userOf } from './who-asks.ts';
import { type Account, fullName, type Installation, type Repository, type World } from './world.ts';

/** `/user…`, `/app…`, `/installation…` and the search: what an account, the App or an installation has. */
export function accountRoutes(world: World, at: Addresses): Router {
  const router = Router();
  const urlOf = (request: { originalUrl: string }) => new URL(request.originalUrl, at.url);
  const views = (asked: URL, response: Response, repositories: readonly Repository[]) =>
    page(
      asked,
      response,
      repositories.toSorted((a, b) => b.pushedAt.getTime() - a.pushedAt.getTime()),
    ).map((one) => viewRepository(one, at));

  router.get('/user', (_request, response) => {
    response.json(viewUser(userOf(response).user, at));
  });

  router.get('/user/emails', (_request, response) => {
    const email = `${userOf(response).user.login}@example.com`;
    response.json([{ email, primary: true, verified: true, visibility: 'private' }]);
  });

  router.get('/user/orgs', (request, response) => {
    const { user, scopes } = userOf(response);
    if (scopes !== null && !scopes.some((scope) => scope === 'read:org' || scope === 'user')) {
      throw new Refusal(403, 'You need at least read:org scope or user scope to list your organizations.');
    }
    const mine = world.accounts.filter(({ members }) => members.has(user.login));
    response.json(page(urlOf(request), response, mine).map((one) => viewOrganisation(one, at)));
  });

  router.get('/user/memberships/orgs/:org', (request, response) => {
    const { user, scopes } = userOf(response);
    const organisation = world.account(request.params.org);
    const role = organisation?.members.get(user.login);
    if (!organisation || role === undefined) throw notFound();
    if (scopes !== null && !scopes.includes('read:org')) {
      throw new Refusal(403, 'You need at least read:org scope to get your organization membership.');
    }
    const url = `${at.apiUrl}/orgs/${organisation.login}`;
    response.json({
      url: `${url}/memberships/${user.login}`,
      state: 'active',
      role,
      organization_url: url,
      organization: viewOrganisation(organisation, at),
      user: viewUser(user, at),
    });
  });

  router.get('/user/repos', (request, response) => {
    const { user } = userOf(response);
    const mine = world.repositories.filter(
      (one) => (roleOf(user, one) ?? 'read') !== 'read' && maySee(world, actorOf(response), one),
    );
    response.json(views(urlOf(request), response, mine));
  });

  router.get('/user/installations', (request, response) => {
    const { user, scopes } = userOf(response);
    if (scopes !== null) {
      throw new Refusal(
        403,
        'You must authenticate with an access token authorized to a GitHub App in order to list installations',
      );
    }
    const mine = world.installations.filter((one) => reachesSome(user, one, world));
    response.json({
      total_count: mine.length,
      installations: page(urlOf(request), response, mine).map((one) => viewInstallation(one, world, at)),
    });
  });

  router.get('/user/installations/:id/repositories', (request, response) => {
    const { user, scopes } = userOf(response);
    const installation = world.installations.find(({ id }) => String(id) === request.params.id);
    if (!installation || scopes !== null) throw notFound();
    const shared = world.repositories.filter(
      (one) => covers(installation, one) && roleOf(user, one) !== null,
    );
    response.json({
      total_count: shared.length,
      repositories: views(urlOf(request), response, shared),
    });
  });

  router.get('/app', (_request, response) => {
    requireApp(response);
    response.json(viewApp(world, at));
  });

  router.get('/app/installations/:id', (request, response) => {
    const installation = installationForApp(world, response, request.params.id);
    response.json(viewInstallation(installation, world, at));
  });

  router.post('/app/installations/:id/access_tokens', (request, response) => {
    const installation = installationForApp(world, response, request.params.id);
    if (installation.suspendedAt !== null) throw suspended();
    const body = (request.body ?? {}) as TokenRequest;
    const wanted = wantedRepositories(world, installation, body);
    const permissions = body.permissions ?? installation.permissions;
    for (const [name, level] of Object.entries(permissions)) {
      const granted = installation.permissions[name];
      if (granted !== 'write' && granted !== level) {
        throw new Refusal(422, 'The permissions requested are not granted to this installation.');
      }
    }
    const token = world.newToken('ghs', {
      kind: 'installation',
      installation,
      repositories: wanted && new Set(wanted.map(({ id }) => id)),
      permissions,
    });
    response.status(201).json({
      token,
      expires_at: new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, ''),
      permissions,
      repository_selection: wanted || installation.repositories ? 'selected' : 'all',
      ...(wanted && { repositories: wanted.map((one) => viewRepository(one, at)) }),
    });
  });

  router.get('/installation/repositories', (request, response) => {
    const { installation, repositories } = installationOf(response);
    const covered = world.repositories.filter(
      (one) => covers(installation, one) && (repositories === null || repositories.has(one.id)),
    );
    response.json({
      total_count: covered.length,
      repository_selection: installation.repositories === null ? 'all' : 'selected',
      repositories: views(urlOf(request), response, covered),
    });
  });

  router.get('/search/repositories', (request, response) => {
    const words = (urlOf(request).searchParams.get('q') ?? '').split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) throw invalid('Search', 'q is missing');
    const owners = words.flatMap((word) => /^(?:user|org):(.+)$/.exec(word)?.[1]?.toLowerCase() ?? []);
    const terms = words.filter((word) => !word.includes(':')).map((word) => word.toLowerCase());
    const found = world.repositories.filter(
      (one) =>
        maySee(world, actorOf(response), one) &&
        (owners.length === 0 || owners.includes(one.owner.login.toLowerCase())) &&
        terms.every((term) => fullName(one).toLowerCase().includes(term)),
    );
    response.json({
      total_count: found.length,
      incomplete_results: false,
      items: views(urlOf(request), response, found).map((one) => ({ ...one, score: 1 })),
    });
  });

  return router;
}

/** Owned by the user or by an organisation of theirs, or it has a repository they may see. */
function reachesSome(user: Account, installation: Installation, world: World): boolean {
  const { account } = installation;
  if (account.id === user.id || account.members.has(user.login)) return true;
  return world.repositories.some((one) => covers(installation, one) && one.collaborators.has(user.login));
}

interface TokenRequest {
  readonly repositories?: readonly string[];
  readonly repository_ids?: readonly number[];
  readonly permissions?: Record<string, 'read' | 'write'>;
}

/** Null: all that the installation covers. */
function wantedRepositories(
  world: World,
  installation: Installation,
  { repositories = [], repository_ids: ids = [] }: TokenRequest,
): Repository[] | null {
  if (repositories.length + ids.length === 0) return null;
  const names = repositories.map((name) => name.toLowerCase());
  const wanted = world.repositories.filter(
    (one) => covers(installation, one) && (names.includes(one.name.toLowerCase()) || ids.includes(one.id)),
  );
  if (wanted.length < repositories.length + ids.length) {
    throw new Refusal(
      422,
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    );
  }
  return wanted;
}
