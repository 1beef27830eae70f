import { githubRoutes } from '../auth/github-routes.ts';
import { sessionRoutes, whoRoutes } from '../auth/session-routes.ts';
import { deleteSessionsOf } from '../auth/session-store.ts';
import type { Sessions } from '../auth/sessions.ts';
import { tokenRoutes } from '../auth/token-routes.ts';
import type { Config } from '../config/config.ts';
import type { PrismaClient } from '../db/database.ts';
import { githubCaller } from '../github/call-github.ts';
import type { Operation } from '../openapi/operation.ts';
import { defaultProject } from '../projects/project-store.ts';
import { releaseProjects } from '../projects/release-projects.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { userRoutes } from '../users/user-routes.ts';
import type { RateLimits } from './rate-limits/rate-limits.ts';

interface AccountNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly sessions: Sessions;
  readonly limits: RateLimits;
  readonly settings: Pick<Config, 'auth' | 'publicUrl' | 'github'>;
}

/** Who there is, how they sign in, and with what. */
export function accountOperations(needs: AccountNeeds): Operation[] {
  const { prisma, limits, settings } = needs;
  const countSignIn = (address: string) => limits.signIn(address);
  const signIn = [
    ...sessionRoutes({ ...needs, countSignIn }),
    ...githubRoutes({
      ...needs,
      countSignIn,
      callGithub: githubCaller(settings.github),
      ensureProject: defaultProject,
    }),
  ];
  // With AUTH=none everybody is the one local user.
  const hasSignIn = settings.auth !== 'none';
  const methods = { token: hasSignIn, github: hasSignIn && settings.github.oauth !== null };
  return [
    ...whoRoutes({ prisma, methods }),
    ...(hasSignIn ? signIn : []),
    ...tokenRoutes({ prisma }),
    ...userRoutes({ prisma, endSessions: deleteSessionsOf, releaseProjects }),
  ];
}
