import { changedFields } from '../audit/changed-fields.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient, User } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { pageByAge, placeOfCursor } from '../openapi/page-by-age.ts';
import { DEFAULT_PAGE, pageOf, pageQuery } from '../openapi/schemas.ts';
import { deleteUserQuery, userChangeSchema, userIdParams } from './user-input.ts';
import { changeRole, deleteUser, listUsers } from './user-store.ts';
import { userSchema, viewUser } from './user-view.ts';

export interface UserRouteNeeds {
  readonly prisma: PrismaClient;
  // Handed in: sessions and projects come after users, and users know nothing of them.
  readonly endSessions: (tx: Db, userId: string) => Promise<void>;
  /** Leaves the user without projects; those in use go to `heir`. @throws AppError user_has_projects without one */
  readonly releaseProjects: (tx: Db, user: User, heir: { id: string } | null) => Promise<void>;
}

const shared = { tag: 'accounts', auth: 'token', ownerOnly: true } as const;

/** Who has an account here; for the owner of the installation. */
export function userRoutes({ prisma, endSessions, releaseProjects }: UserRouteNeeds): Operation[] {
  return [
    op({
      ...shared,
      method: 'get',
      path: '/users',
      id: 'listUsers',
      summary: 'List users, newest first',
      query: pageQuery,
      responses: { 200: { description: 'One page', schema: pageOf(userSchema) } },
      async handler({ query: { limit = DEFAULT_PAGE, cursor } }) {
        const rows = await listUsers(prisma, { limit: limit + 1, after: placeOfCursor(cursor) });
        return { status: 200, body: pageByAge(rows, limit, viewUser) };
      },
    }),

    op({
      ...shared,
      method: 'patch',
      path: '/users/:id',
      id: 'changeUser',
      summary: 'Make a user an owner, or a member',
      description: 'From the next request on. The last owner stays one.',
      params: userIdParams,
      body: userChangeSchema,
      errors: ['last_owner'],
      responses: { 200: { description: 'The changed user', schema: userSchema } },
      async handler({ params: { id }, body: { role } }, call) {
        const user = await prisma.$transaction(async (tx) => {
          const { before, after } = await changeRole(tx, id, role);
          await recordAudit(tx, call, {
            action: 'user.change',
            object: 'user',
            objectId: id,
            detail: changedFields({ role: before.role }, { role }),
          });
          return after;
        });
        return { status: 200, body: viewUser(user) };
      },
    }),

    op({
      ...shared,
      method: 'delete',
      path: '/users/:id',
      id: 'deleteUser',
      summary: 'Remove a user',
      description:
        'Their sessions and tokens end at once, and open log streams within a minute. While they have projects with ' +
        'apps this is refused: let them delete those, or take them over with `take_projects=true`. Also take them off ' +
        'GITHUB_ALLOWED_USERS, or out of the organisation: who may sign in gets an account again.',
      params: userIdParams,
      query: deleteUserQuery,
      errors: ['last_owner', 'user_has_projects'],
      responses: { 204: { description: 'The user is gone' } },
      async handler({ params: { id }, query }, call) {
        const heir = query.take_projects === 'true' ? { id: call.caller.userId } : null;
        await prisma.$transaction(async (tx) => {
          const { name } = await deleteUser(tx, id, async (user) => {
            await endSessions(tx, id);
            await releaseProjects(tx, user, user.id === heir?.id ? null : heir);
          });
          await recordAudit(tx, call, {
            action: 'user.delete',
            object: 'user',
            objectId: id,
            detail: { name, took_projects: heir !== null },
          });
        });
        return { status: 204 };
      },
    }),
  ];
}
