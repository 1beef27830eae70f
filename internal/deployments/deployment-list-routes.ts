import { z } from 'zod';
import type { AppEntryPoint } from '../apps/app-url.ts';
import type { PrismaClient } from '../db/database.ts';
import { DeploymentStatus, DeploymentTrigger } from '../db/generated/enums.ts';
import { type Operation, op } from '../openapi/operation.ts';
import {
  appIdParams,
  DEFAULT_PAGE,
  decodeCursor,
  encodeCursor,
  id as idSchema,
  pageOf,
  pageQuery,
  someOf,
} from '../openapi/schemas.ts';
import { type ListedDeployment, listDeployments, listDeploymentsOf } from './deployment-reads.ts';
import { listedDeploymentSchema, viewListedDeployment } from './deployment-view.ts';

const filterQuery = pageQuery.extend({
  status: someOf(Object.values(DeploymentStatus), 'One or more, with commas between.'),
  trigger: someOf(Object.values(DeploymentTrigger), 'What asked for it: one or more, with commas between.'),
  branch: z.string().min(1).max(200).optional().meta({ description: 'Exactly this branch.' }),
});

const responses = { 200: { description: 'One page', schema: pageOf(listedDeploymentSchema) } };

/** The history: of one app, and over all of them. */
export function listRoutes(needs: {
  readonly prisma: PrismaClient;
  readonly entryPoint: AppEntryPoint;
}): Operation[] {
  const { prisma } = needs;
  const answer = (rows: readonly ListedDeployment[], limit: number) => {
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      status: 200 as const,
      body: {
        items: page.map((row) => viewListedDeployment(row, needs.entryPoint)),
        next_cursor: last ? encodeCursor([String(last.queueSequence)]) : null,
      },
    };
  };

  return [
    op({
      method: 'get',
      path: '/deployments',
      id: 'listDeployments',
      tag: 'deployments',
      summary: 'List deployments of all apps, newest first',
      auth: 'token',
      query: filterQuery.extend({
        app: z.string().min(1).max(40).optional().meta({ description: 'Id or name of an app.' }),
        project_id: idSchema.optional().meta({ description: 'Of the apps of this project only.' }),
      }),
      responses,
      async handler({ query }, { caller: { userId } }) {
        const { limit = DEFAULT_PAGE, cursor, project_id: projectId, ...others } = query;
        const filter = { ...others, projectId };
        // One more than asked for tells whether there is a next page.
        const of = { userId, filter, limit: limit + 1, before: placeOf(cursor) };
        return answer(await listDeployments(prisma, of), limit);
      },
    }),

    op({
      method: 'get',
      path: '/apps/:id/deployments',
      id: 'listDeploymentsOfApp',
      tag: 'deployments',
      summary: 'List deployments of an app, newest first',
      auth: 'token',
      params: appIdParams,
      query: filterQuery,
      responses,
      async handler({ params, query: { limit = DEFAULT_PAGE, cursor, ...filter } }, { caller: { userId } }) {
        const of = { userId, filter, limit: limit + 1, before: placeOf(cursor) };
        return answer(await listDeploymentsOf(prisma, params.id, of), limit);
      },
    }),
  ];
}

function placeOf(cursor: string | undefined): bigint | null {
  if (cursor === undefined) return null;
  const [sequence = '0'] = decodeCursor(cursor, [/^\d{1,18}$/]);
  return BigInt(sequence);
}
