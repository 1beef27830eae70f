import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { pageByAge, placeOfCursor } from '../openapi/page-by-age.ts';
import { DEFAULT_PAGE, id as idSchema, pageOf, pageQuery, projectIdParams } from '../openapi/schemas.ts';
import { requireProject } from '../projects/project-store.ts';
import { type AppWithState, listApps } from './app-store.ts';
import { appSchema } from './app-view.ts';

const listQuery = pageQuery.extend({ name: z.string().max(100).optional() });
const responses = { 200: { description: 'One page', schema: pageOf(appSchema) } };

export interface ListRouteNeeds {
  readonly prisma: PrismaClient;
  /** How each of these apps is shown, after one look at all of them. */
  readonly viewerOf: (
    apps: readonly AppWithState[],
  ) => Promise<(app: AppWithState) => z.input<typeof appSchema>>;
}

/** The apps of all projects, and those of one. */
export function listRoutes({ prisma, viewerOf }: ListRouteNeeds): Operation[] {
  const answer = async (
    userId: string,
    query: z.output<typeof listQuery> & { readonly project_id?: string | undefined },
  ) => {
    const { limit = DEFAULT_PAGE, cursor, name, project_id: projectId } = query;
    const of = { userId, projectId, name, limit: limit + 1, after: placeOfCursor(cursor) };
    const apps = await listApps(prisma, of);
    return { status: 200 as const, body: pageByAge(apps, limit, await viewerOf(apps)) };
  };

  return [
    op({
      method: 'get',
      path: '/apps',
      id: 'listApps',
      tag: 'apps',
      summary: 'List apps, newest first',
      auth: 'token',
      query: listQuery.extend({
        project_id: idSchema.optional().meta({ description: 'Of this project only.' }),
      }),
      responses,
      handler: ({ query }, { caller }) => answer(caller.userId, query),
    }),

    op({
      method: 'get',
      path: '/projects/:id/apps',
      id: 'listAppsOfProject',
      tag: 'projects',
      summary: 'List apps of a project, newest first',
      auth: 'token',
      params: projectIdParams,
      query: listQuery,
      responses,
      async handler({ params: { id }, query }, { caller: { userId } }) {
        await requireProject(prisma, userId, id);
        return answer(userId, { ...query, project_id: id });
      },
    }),
  ];
}
