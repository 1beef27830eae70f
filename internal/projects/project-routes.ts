import { z } from 'zod';
import { changedFields } from '../audit/changed-fields.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { pageByAge, placeOfCursor } from '../openapi/page-by-age.ts';
import { DEFAULT_PAGE, id as idSchema, pageOf, pageQuery, projectIdParams } from '../openapi/schemas.ts';
import { newProjectSchema, projectChangeSchema } from './project-input.ts';
import {
  changeProject,
  createProject,
  listProjects,
  markProjectDeleting,
  requireProject,
} from './project-store.ts';
import { projectSchema, viewProject } from './project-view.ts';

export interface ProjectRouteNeeds {
  readonly prisma: PrismaClient;
  readonly answerOnce: AnswerOnce;
  /** Asks for the removal of its apps. Handed in: projects come before apps and know nothing of them. */
  readonly deleteApps: (tx: Db, call: Call, projectId: string) => Promise<void>;
}

export function projectRoutes({ prisma, answerOnce, deleteApps }: ProjectRouteNeeds): Operation[] {
  const view = async (db: Db, userId: string, id: string) =>
    viewProject(await requireProject(db, userId, id));

  return [
    op({
      method: 'get',
      path: '/projects',
      id: 'listProjects',
      tag: 'projects',
      summary: 'List projects, newest first',
      auth: 'token',
      query: pageQuery.extend({ name: z.string().max(100).optional() }),
      responses: { 200: { description: 'One page', schema: pageOf(projectSchema) } },
      async handler({ query: { limit = DEFAULT_PAGE, cursor, name } }, { caller: { userId } }) {
        const after = placeOfCursor(cursor);
        const rows = await listProjects(prisma, { userId, name, limit: limit + 1, after });
        return { status: 200, body: pageByAge(rows, limit, viewProject) };
      },
    }),

    op({
      method: 'post',
      path: '/projects',
      id: 'createProject',
      tag: 'projects',
      summary: 'Create a project',
      description:
        'Its apps reach each other by name in a network of their own. `default` is made by itself.',
      auth: 'token',
      body: newProjectSchema,
      takesIdempotencyKey: true,
      errors: ['name_taken'],
      responses: { 201: { description: 'The project, empty', schema: projectSchema } },
      async handler({ body: { name } }, call) {
        const { userId, userHash } = call.caller;
        return answerOnce(call, async (tx) => {
          const { id } = await createProject(tx, { id: userId, hash: userHash }, name);
          const made = {
            action: 'project.create',
            object: 'project',
            objectId: id,
            detail: { name },
          } as const;
          await recordAudit(tx, call, made);
          const headers = { Location: `/api/v1/projects/${id}` };
          return { status: 201 as const, headers, body: await view(tx, userId, id) };
        });
      },
    }),

    op({
      method: 'get',
      path: '/projects/:id',
      id: 'getProject',
      tag: 'projects',
      summary: 'Read one project',
      auth: 'token',
      params: projectIdParams,
      responses: { 200: { description: 'The project', schema: projectSchema } },
      async handler({ params }, { caller }) {
        return { status: 200, body: await view(prisma, caller.userId, params.id) };
      },
    }),

    op({
      method: 'patch',
      path: '/projects/:id',
      id: 'changeProject',
      tag: 'projects',
      summary: 'Rename a project, or limit its deployments',
      description: 'Its network keeps its name, and its apps keep their hosts: nothing is started anew.',
      auth: 'token',
      params: projectIdParams,
      body: projectChangeSchema,
      errors: ['name_taken', 'project_deleting'],
      responses: { 200: { description: 'The changed project', schema: projectSchema } },
      async handler({ params: { id }, body: change }, call) {
        const { userId } = call.caller;
        const body = await prisma.$transaction(async (tx) => {
          const { name, deployment_limit: deploymentLimit } = change;
          const before = await changeProject(tx, { userId, id }, { name, deploymentLimit });
          const changed = {
            action: 'project.change',
            object: 'project',
            objectId: id,
            detail: changedFields({ name: before.name, deployment_limit: before.deploymentLimit }, change),
          } as const;
          await recordAudit(tx, call, changed);
          return view(tx, userId, id);
        });
        return { status: 200, body };
      },
    }),

    op({
      method: 'delete',
      path: '/projects/:id',
      id: 'deleteProject',
      tag: 'projects',
      summary: 'Delete a project with its apps and its network',
      description:
        'Done by a worker: until then the project and its apps have the status `deleting` and take nothing new, then ' +
        'they answer 404. `default` is made again, empty, when it is next needed.',
      auth: 'token',
      params: projectIdParams,
      responses: {
        202: {
          description: 'It will be gone soon',
          schema: z.object({ id: idSchema, status: z.literal('deleting') }),
        },
      },
      async handler({ params: { id } }, call) {
        await prisma.$transaction(async (tx) => {
          const { isNew } = await markProjectDeleting(tx, call.caller.userId, id);
          if (isNew)
            await recordAudit(tx, call, { action: 'project.delete', object: 'project', objectId: id });
          await deleteApps(tx, call, id);
        });
        return { status: 202, body: { id, status: 'deleting' as const } };
      },
    }),
  ];
}
