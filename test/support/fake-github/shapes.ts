import { createRequire } from 'node:module';
import type { components } from '@octokit/openapi-types';
import {
  type Account,
  type Deployment,
  type DeploymentStatus,
  fullName,
  type Hook,
  type Installation,
  type Repository,
  type World,
} from './world.ts';

type Schemas = components['schemas'];
type Event = { readonly name: string; readonly examples: readonly unknown[] };

const events: readonly Event[] = createRequire(import.meta.url)('@octokit/webhooks-examples');

/** The payloads that GitHub published of one event. */
export function webhookExamples(event: string): readonly unknown[] {
  return events.find(({ name }) => name === event)?.examples ?? [];
}

const renamed = webhookExamples('repository').find(
  (example) => (example as { action: string }).action === 'renamed',
) as { repository: Schemas['full-repository']; sender: Schemas['simple-user'] };

/** Where the stand-in is: its addresses take the place of GitHub's in every shape. */
export interface Addresses {
  readonly url: string;
  readonly apiUrl: string;
}

function placed<T>(shape: T, { url, apiUrl }: Addresses, names: readonly (readonly [string, string])[]): T {
  let text = JSON.stringify(shape)
    .replaceAll('https://api.github.com', apiUrl)
    .replaceAll('https://github.com', url);
  for (const [from, to] of names) text = text.replaceAll(from, to);
  return JSON.parse(text) as T;
}

export function viewAccount(account: Account, at: Addresses): Schemas['simple-user'] {
  const { id, login, type } = account;
  return { ...placed(renamed.sender, at, [['Codertocat', login]]), id, type };
}

export function viewUser(account: Account, at: Addresses): Schemas['public-user'] {
  return {
    ...viewAccount(account, at),
    name: `${account.login} (name)`,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: 2,
    public_gists: 0,
    followers: 20,
    following: 0,
    created_at: '2019-05-15T15:20:33Z',
    updated_at: '2026-05-15T15:20:33Z',
  };
}

export function viewOrganisation(account: Account, at: Addresses): Schemas['organization-simple'] {
  const here = `${at.apiUrl}/orgs/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: 'MDEyOk9yZ2FuaXphdGlvbjM4MzAyODk5',
    url: here,
    repos_url: `${here}/repos`,
    events_url: `${here}/events`,
    hooks_url: `${here}/hooks`,
    issues_url: `${here}/issues`,
    members_url: `${here}/members{/member}`,
    public_members_url: `${here}/public_members{/member}`,
    avatar_url: 'https://avatars.githubusercontent.com/u/38302899?v=4',
    description: null,
  };
}

export function viewRepository(repository: Repository, at: Addresses): Schemas['full-repository'] {
  const { id, name, isPrivate, owner, pushedAt } = repository;
  const shape = placed(renamed.repository, at, [['Octocoders/Hello-World', fullName(repository)]]);
  return {
    ...shape,
    id,
    name,
    private: isPrivate,
    visibility: isPrivate ? 'private' : 'public',
    owner: viewAccount(owner, at),
    fork: false,
    default_branch: 'main',
    pushed_at: pushedAt.toISOString().replace(/\.\d+/, ''),
  };
}

export function viewInstallation(one: Installation, world: World, at: Addresses): Schemas['installation'] {
  return {
    id: one.id,
    account: viewAccount(one.account, at),
    repository_selection: one.repositories === null ? 'all' : 'selected',
    access_tokens_url: `${at.apiUrl}/app/installations/${one.id}/access_tokens`,
    repositories_url: `${at.apiUrl}/installation/repositories`,
    html_url: `${at.url}/settings/installations/${one.id}`,
    app_id: world.app.id,
    app_slug: world.app.slug,
    target_id: one.account.id,
    target_type: one.account.type,
    permissions: one.permissions,
    events: ['push', 'pull_request'],
    created_at: '2026-05-15T15:20:33Z',
    updated_at: '2026-05-15T15:20:33Z',
    single_file_name: null,
    suspended_by: null,
    suspended_at: one.suspendedAt?.toISOString() ?? null,
  };
}

export function viewApp(world: World, at: Addresses): NonNullable<Schemas['integration']> {
  const owner: Account = { id: 1, login: 'github', type: 'Organization', members: new Map() };
  return {
    id: world.app.id,
    slug: world.app.slug,
    node_id: 'MDExOkludGVncmF0aW9uMQ==',
    client_id: 'Iv1.8a61f9b3a7aba766',
    owner: viewAccount(owner, at),
    name: 'Berth test',
    description: '',
    external_url: 'https://example.com',
    html_url: `${at.url}/apps/${world.app.slug}`,
    created_at: '2026-05-15T15:20:33Z',
    updated_at: '2026-05-15T15:20:33Z',
    permissions: { metadata: 'read', contents: 'read' },
    events: ['push', 'pull_request'],
  };
}

export function viewHook(hook: Hook, repository: Repository, at: Addresses): Schemas['hook'] {
  const url = `${at.apiUrl}/repos/${fullName(repository)}/hooks/${hook.id}`;
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.active,
    events: [...hook.events],
    config: { ...hook.config, ...(hook.config.secret === undefined ? {} : { secret: '********' }) },
    updated_at: '2026-05-15T15:20:33Z',
    created_at: '2026-05-15T15:20:33Z',
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  };
}

export function viewDeployment(
  deployment: Deployment,
  repository: Repository,
  at: Addresses,
): Schemas['deployment'] {
  const repositoryUrl = `${at.apiUrl}/repos/${fullName(repository)}`;
  const url = `${repositoryUrl}/deployments/${deployment.id}`;
  return {
    url,
    id: deployment.id,
    node_id: 'MDEwOkRlcGxveW1lbnQx',
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload as Record<string, unknown>,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: viewAccount(repository.owner, at),
    created_at: '2026-05-15T15:20:33Z',
    updated_at: '2026-05-15T15:20:33Z',
    statuses_url: `${url}/statuses`,
    repository_url: repositoryUrl,
  };
}

export function viewDeploymentStatus(
  status: DeploymentStatus,
  of: { deployment: Deployment; repository: Repository },
  at: Addresses,
): Schemas['deployment-status'] {
  const deployment = viewDeployment(of.deployment, of.repository, at);
  return {
    url: `${deployment.statuses_url}/${status.id}`,
    id: status.id,
    node_id: 'MDE2OkRlcGxveW1lbnRTdGF0dXMx',
    state: status.state as Schemas['deployment-status']['state'],
    creator: viewAccount(of.repository.owner, at),
    description: status.description,
    environment: of.deployment.environment,
    target_url: status.log_url,
    created_at: '2026-05-15T15:20:33Z',
    updated_at: '2026-05-15T15:20:33Z',
    deployment_url: deployment.url,
    repository_url: deployment.repository_url,
    environment_url: status.environment_url,
    log_url: status.log_url,
  };
}
