import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { GithubRefused } from '../github/github-error.ts';
import { listBranches } from '../github/repositories.ts';
import { repositoryName } from '../github/which-repository.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { DEFAULT_PAGE, decodeCursor, encodeCursor, pageOf, pageQuery } from '../openapi/schemas.ts';
import { answeringGithubErrors } from './answer-github-errors.ts';
import { type BrowsePlace, browseRepositories } from './browse-repositories.ts';
import { type TokenNeeds, withRepositoryToken } from './repository-token.ts';
import { branchSchema, repositorySchema, viewBranch, viewRepository } from './repository-view.ts';

/** GitHub gives a hundred at most. */
const MAX_PER_PAGE = 100;
const ERRORS = ['github_unavailable', 'github_refused', 'github_not_connected'] as const;

const part = (example: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,100}$/)
    .meta({ param: { example } });

/** Repositories and branches to choose from. */
export function repositoryRoutes(needs: TokenNeeds): Operation[] {
  return [
    op({
      method: 'get',
      path: '/github/repos',
      id: 'listGithubRepositories',
      tag: 'github',
      summary: 'List repositories at GitHub that you could deploy',
      description:
        'Of your installations of the GitHub App, then, when your sign-in allows it, your own. A page may be short and ' +
        'yet not be the last: `next_cursor` tells.',
      auth: 'token',
      query: pageQuery.extend({
        q: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'must be a part of a name: letters, digits, dots, dashes')
          .optional()
          .meta({ description: 'Only those whose name holds this text.' }),
      }),
      errors: ERRORS,
      responses: { 200: { description: 'One page', schema: pageOf(repositorySchema) } },
      async handler({ query }, { caller }) {
        const { items, next } = await answeringGithubErrors(() =>
          browseRepositories(needs, {
            userId: caller.userId,
            text: query.q ?? null,
            perPage: perPage(query.limit),
            place: query.cursor === undefined ? null : placeOf(query.cursor),
          }),
        );
        const cursor = next && encodeCursor([next.source, String(next.page)]);
        return { status: 200, body: { items: items.map(viewRepository), next_cursor: cursor } };
      },
    }),

    op({
      method: 'get',
      path: '/github/repos/:owner/:repo/branches',
      id: 'listGithubBranches',
      tag: 'github',
      summary: 'List branches of a repository at GitHub',
      auth: 'token',
      params: z.object({ owner: part('acme'), repo: part('front') }),
      query: pageQuery,
      errors: ERRORS,
      responses: { 200: { description: 'One page', schema: pageOf(branchSchema) } },
      async handler({ params, query }, { caller }) {
        const repository = repositoryName(params.owner, params.repo);
        const [page = '1'] = query.cursor === undefined ? [] : decodeCursor(query.cursor, [PAGE]);
        const found = await answeringGithubErrors(() =>
          withRepositoryToken(needs, { userId: caller.userId, repository, purpose: 'read' }, (token) =>
            listBranches(
              needs.github.call,
              { token, page: Number(page), perPage: perPage(query.limit) },
              repository,
            ).catch(notFoundAs(repository.fullName)),
          ),
        );
        if (!found) throw noSuchRepository(repository.fullName);
        return {
          status: 200,
          body: {
            items: found.items.map(viewBranch),
            next_cursor: found.nextPage === null ? null : encodeCursor([String(found.nextPage)]),
          },
        };
      },
    }),
  ];
}

const PAGE = /^[1-9]\d{0,4}$/;

function placeOf(cursor: string): BrowsePlace {
  const [source = '', page = ''] = decodeCursor(cursor, [/^(?:user|\d{1,15})$/, PAGE]);
  return { source, page: Number(page) };
}

function perPage(limit: number | undefined): number {
  return Math.min(limit ?? DEFAULT_PAGE, MAX_PER_PAGE);
}

function notFoundAs(fullName: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof GithubRefused && error.reason === 'not_found' ? noSuchRepository(fullName) : error;
  };
}

function noSuchRepository(fullName: string): AppError {
  return new AppError(
    'not_found',
    `There is no repository ${fullName} at GitHub, or none that your connection with GitHub shows.`,
  );
}
