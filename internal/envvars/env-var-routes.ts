import { lockApp, requireApp } from '../apps/app-store.ts';
import { changedFields } from '../audit/changed-fields.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { appIdParams } from '../openapi/schemas.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import type { EnvVariable } from './env-var.ts';
import { newVariableSchema, variableChangeSchema, variableParams } from './env-var-input.ts';
import {
  addVariable,
  changeVariable,
  findVariable,
  readEnvironment,
  removeVariable,
} from './env-var-store.ts';
import { environmentViewSchema, variableSchema, viewEnvironment } from './env-var-view.ts';
import { environmentRoutes } from './environment-routes.ts';

export interface EnvVarRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly answerOnce: AnswerOnce;
  /** What the live release runs with; null: there is none. Handed in: variables come before deployments. */
  readonly liveEnvironment: (db: Db, appId: string) => Promise<readonly EnvVariable[] | null>;
}

/** The variables of an app, one by one; as a whole they are in environment-routes.ts. */
export function envVarRoutes(needs: EnvVarRouteNeeds): Operation[] {
  const { prisma, box, answerOnce } = needs;
  const viewAll = async (db: Db, appId: string) => {
    const live = await needs.liveEnvironment(db, appId);
    return viewEnvironment(await readEnvironment(db, box, appId), live);
  };
  const viewOne = async (db: Db, appId: string, key: string) => {
    const found = (await viewAll(db, appId)).items.find((item) => item.key === key);
    if (!found) throw new AppError('not_found', 'The app has no variable of this name.');
    return found;
  };

  return [
    op({
      method: 'get',
      path: '/apps/:id/env',
      id: 'listEnvironment',
      tag: 'environment',
      summary: 'List the environment variables of an app, by key',
      description: 'Without values. What the live release does not have yet is pending.',
      auth: 'token',
      params: appIdParams,
      responses: { 200: { description: 'All of them', schema: environmentViewSchema } },
      async handler({ params: { id } }, { caller }) {
        await requireApp(prisma, caller.userId, id);
        return { status: 200, body: await viewAll(prisma, id) };
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/env',
      id: 'createVariable',
      tag: 'environment',
      summary: 'Add an environment variable',
      description: 'The next deployment brings it to the app.',
      auth: 'token',
      params: appIdParams,
      body: newVariableSchema,
      takesIdempotencyKey: true,
      errors: ['name_taken', 'app_deleting'],
      responses: { 201: { description: 'The variable, without its value', schema: variableSchema } },
      async handler({ params: { id }, body }, call) {
        return answerOnce(call, async (tx) => {
          await lockApp(tx, call.caller.userId, id);
          await addVariable(tx, box, id, body);
          const variable = await viewOne(tx, id, body.key);
          const detail = { app_id: id, key: body.key, scope: variable.scope };
          await recordAudit(tx, call, {
            ...AUDITED,
            action: 'env_var.create',
            objectId: variable.id,
            detail,
          });
          const headers = { Location: `/api/v1/apps/${id}/env/${body.key}` };
          return { status: 201 as const, headers, body: variable };
        });
      },
    }),

    op({
      method: 'patch',
      path: '/apps/:id/env/:key',
      id: 'changeVariable',
      tag: 'environment',
      summary: 'Change the value or the scope of an environment variable',
      auth: 'token',
      params: variableParams,
      body: variableChangeSchema,
      errors: ['app_deleting'],
      responses: { 200: { description: 'The variable, without its value', schema: variableSchema } },
      async handler({ params: { id, key: keyOrId }, body: change }, call) {
        const body = await prisma.$transaction(async (tx) => {
          await lockApp(tx, call.caller.userId, id);
          const { id: variableId, key, scope } = await findVariable(tx, id, keyOrId);
          await changeVariable(tx, box, { appId: id, key }, change);
          const variable = await viewOne(tx, id, key);
          const detail = {
            app_id: id,
            key,
            ...changedFields({ scope }, { scope: change.scope }),
            value_changed: change.value !== undefined,
          };
          await recordAudit(tx, call, { ...AUDITED, action: 'env_var.change', objectId: variableId, detail });
          return variable;
        });
        return { status: 200, body };
      },
    }),

    op({
      method: 'delete',
      path: '/apps/:id/env/:key',
      id: 'deleteVariable',
      tag: 'environment',
      summary: 'Remove an environment variable',
      description: 'The live release has it until the next deployment.',
      auth: 'token',
      params: variableParams,
      errors: ['app_deleting'],
      responses: { 204: { description: 'It is gone' } },
      async handler({ params: { id, key: keyOrId } }, call) {
        await prisma.$transaction(async (tx) => {
          await lockApp(tx, call.caller.userId, id);
          const { id: variableId, key } = await findVariable(tx, id, keyOrId);
          await removeVariable(tx, variableId);
          const detail = { app_id: id, key };
          await recordAudit(tx, call, { ...AUDITED, action: 'env_var.delete', objectId: variableId, detail });
        });
        return { status: 204 };
      },
    }),

    ...environmentRoutes({ ...needs, viewAll }),
  ];
}

const AUDITED = { object: 'env_var' } as const;
