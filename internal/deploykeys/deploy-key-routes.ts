import { z } from 'zod';
import { lockApp, requireApp } from '../apps/app-store.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { appIdParams } from '../openapi/schemas.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { fingerprintOf } from './deploy-key.ts';
import { ensureDeployKey, findDeployKey, removeDeployKey } from './deploy-key-store.ts';

export interface DeployKeyRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly answerOnce: AnswerOnce;
}

const deployKeySchema = z
  .object({
    public_key: z.string().meta({ description: 'Goes to the Git host, where it may read and not write.' }),
    fingerprint: z.string(),
  })
  .meta({
    id: 'DeployKey',
    examples: [
      {
        public_key:
          'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIkAbLlt0sOyTYXjq0LVJXMYcwyxGi0fNfxjP0FuPXwZ berth-shop',
        fingerprint: 'SHA256:1cQx1S3sIyB0eQv1f3zH3uJ5xVQ3m0oT0m8bq0r8m2k',
      },
    ],
  });

/** A key of an app's own, for Git hosts that know no GitHub App: with it the repository is fetched by ssh. */
export function deployKeyRoutes({ prisma, box, answerOnce }: DeployKeyRouteNeeds): Operation[] {
  const view = (publicKey: string) => ({ public_key: publicKey, fingerprint: fingerprintOf(publicKey) });

  return [
    op({
      method: 'get',
      path: '/apps/:id/deploy-key',
      id: 'getDeployKey',
      tag: 'apps',
      summary: 'Read the deploy key of an app',
      auth: 'token',
      params: appIdParams,
      responses: { 200: { description: 'Its public half', schema: deployKeySchema } },
      async handler({ params: { id } }, { caller }) {
        await requireApp(prisma, caller.userId, id);
        const publicKey = await findDeployKey(prisma, id);
        if (publicKey === null) throw new AppError('not_found', 'The app has no deploy key.');
        return { status: 200, body: view(publicKey) };
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/deploy-key',
      id: 'createDeployKey',
      tag: 'apps',
      summary: 'Make a deploy key for an app',
      description:
        'Add `public_key` to the repository at the Git host, for reading only. From then on it is fetched by ssh, from ' +
        'the host of `repo_url`, unless GitHub gives a token for it. The private half never leaves the platform. An app ' +
        'has one key: asked again, it is answered.',
      auth: 'token',
      params: appIdParams,
      takesIdempotencyKey: true,
      errors: ['app_deleting'],
      responses: {
        200: { description: 'The key that the app has already', schema: deployKeySchema },
        201: { description: 'The new key', schema: deployKeySchema },
      },
      async handler({ params: { id } }, call) {
        return answerOnce(call, async (tx) => {
          await lockApp(tx, call.caller.userId, id);
          const { publicKey, isNew } = await ensureDeployKey(tx, box, id);
          if (!isNew) return { status: 200 as const, body: view(publicKey) };
          const detail = { fingerprint: fingerprintOf(publicKey) };
          await recordAudit(tx, call, {
            action: 'app.create_deploy_key',
            object: 'app',
            objectId: id,
            detail,
          });
          return { status: 201 as const, body: view(publicKey) };
        });
      },
    }),

    op({
      method: 'delete',
      path: '/apps/:id/deploy-key',
      id: 'deleteDeployKey',
      tag: 'apps',
      summary: 'Delete the deploy key of an app',
      description: 'Remove it at the Git host, too.',
      auth: 'token',
      params: appIdParams,
      errors: ['app_deleting'],
      responses: { 204: { description: 'Deleted' } },
      async handler({ params: { id } }, call) {
        await prisma.$transaction(async (tx) => {
          await lockApp(tx, call.caller.userId, id);
          if (!(await removeDeployKey(tx, id))) throw new AppError('not_found', 'The app has no deploy key.');
          await recordAudit(tx, call, { action: 'app.delete_deploy_key', object: 'app', objectId: id });
        });
        return { status: 204 };
      },
    }),
  ];
}
