import { z } from 'zod';
import type { Secret } from '../secrets/secret.ts';
import type { CallGithub } from './call-github.ts';
import * as shapes from './shapes.ts';
import type { RepositoryName } from './which-repository.ts';

/** A page of a list, and the number of the next one. */
export interface GithubPage<T> {
  readonly items: readonly T[];
  readonly nextPage: number | null;
}

interface PageRequest {
  readonly token: Secret;
  readonly page: number;
  readonly perPage: number;
}

/** All that an installation covers; with a token of that installation. */
export async function listInstallationRepositories(
  call: CallGithub,
  { token, page, perPage }: PageRequest,
): Promise<GithubPage<shapes.GithubRepository>> {
  const { data, nextPage } = await call({
    route: 'GET /installation/repositories',
    parameters: { page, per_page: perPage },
    token,
    answer: z.object({ repositories: z.array(shapes.repository) }),
  });
  return { items: data.repositories, nextPage };
}

/** Those a user may push to, the last pushed one first. */
export async function listUserRepositories(
  call: CallGithub,
  { token, page, perPage }: PageRequest,
): Promise<GithubPage<shapes.GithubRepository>> {
  const { data, nextPage } = await call({
    route: 'GET /user/repos',
    parameters: { page, per_page: perPage, sort: 'pushed' },
    token,
    answer: z.array(shapes.repository),
  });
  return { items: data, nextPage };
}

/** Those of these accounts that the token shows and whose name holds the text. */
export async function searchRepositories(
  call: CallGithub,
  { token, page, perPage }: PageRequest,
  { text, accounts }: { text: string; accounts: readonly string[] },
): Promise<GithubPage<shapes.GithubRepository>> {
  const { data, nextPage } = await call({
    route: 'GET /search/repositories',
    parameters: {
      q: [text, 'in:name', 'fork:true', ...accounts.map((login) => `user:${login}`)].join(' '),
      sort: 'updated',
      page,
      per_page: perPage,
    },
    token,
    answer: z.object({ items: z.array(shapes.repository) }),
  });
  return { items: data.items, nextPage };
}

export async function listBranches(
  call: CallGithub,
  { token, page, perPage }: PageRequest,
  { owner, name }: RepositoryName,
): Promise<GithubPage<shapes.GithubBranch>> {
  const { data, nextPage } = await call({
    route: 'GET /repos/{owner}/{repo}/branches',
    parameters: { owner, repo: name, page, per_page: perPage },
    token,
    answer: z.array(shapes.branch),
  });
  return { items: data, nextPage };
}

/** The repository as the token shows it, under its present name. */
export async function getRepository(
  call: CallGithub,
  { token, repository }: { token: Secret; repository: RepositoryName },
): Promise<shapes.GithubRepository> {
  const { data } = await call({
    route: 'GET /repos/{owner}/{repo}',
    parameters: { owner: repository.owner, repo: repository.name },
    token,
    answer: shapes.repository,
  });
  return data;
}
