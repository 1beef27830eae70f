import type { Db } from '../db/database.ts';
import type { Github } from '../github/github.ts';
import { whichRepository } from '../github/which-repository.ts';
import { findCovering } from '../installations/installation-store.ts';
import type { HookedApp } from './ports.ts';

/** Whether pushes to the app's repository come by the GitHub App, for an installation of its owner covers it. */
export async function isCoveredByApp(
  { prisma, github }: { prisma: Db; github: Github },
  { userId, repoUrl }: HookedApp,
): Promise<boolean> {
  const repository = whichRepository(repoUrl, github.url);
  if (!github.app || !repository) return false;
  return (await findCovering(prisma, userId, repository)).length > 0;
}
