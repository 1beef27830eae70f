import type { App, Db } from '../db/database.ts';
import { isAppName } from '../routing/hosts.ts';
import { nameFrom } from './app-input.ts';
import { createApp, findAppByRepo, namesLike, updateApp } from './app-store.ts';

export interface WantedApp {
  readonly project: { readonly id: string; readonly name: string };
  readonly userHash: string;
  readonly baseDomain: string;
  readonly repoUrl: string;
  readonly branch: string | null;
  /** Undefined: as it is. */
  readonly port: number | null | undefined;
}

/**
 * The app that builds this branch of this repository, or a new one named after the repository. Another branch is
 * another app, so that trying a branch out never replaces what serves.
 */
export async function findOrMakeApp(tx: Db, wanted: WantedApp): Promise<{ app: App; isNew: boolean }> {
  const { project, repoUrl, branch, port } = wanted;
  // Two of these at once for one repository take turns, else each would make an app.
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${`${project.id} ${repoUrl}`}))`;
  const settings = port === undefined ? {} : { port };
  const found = await findAppByRepo(tx, { projectId: project.id, repoUrl, branch });
  if (found) {
    if (port !== undefined && port !== found.port) await updateApp(tx, found.id, settings);
    return { app: found, isNew: false };
  }
  const name = await freeName(tx, project.id, wanted);
  const app = await createApp(tx, { ...wanted, name, settings: { ...settings, repoUrl, branch } });
  return { app, isNew: true };
}

/** `shop`, else `shop-{branch}`, else `shop-2`, `shop-3`, … */
async function freeName(
  tx: Db,
  projectId: string,
  of: { repoUrl: string; branch: string | null },
): Promise<string> {
  const base = nameFrom(repositoryName(of.repoUrl));
  const taken = await namesLike(tx, projectId, base);
  const branchName = of.branch === null ? null : `${base}-${nameFrom(of.branch)}`;
  for (const name of [base, branchName]) {
    if (name !== null && isAppName(name) && !taken.has(name)) return name;
  }
  let number = 2;
  while (taken.has(`${base}-${number}`)) number += 1;
  return `${base}-${number}`;
}

function repositoryName(repoUrl: string): string {
  return (repoUrl.split('/').at(-1) ?? '').replace(/\.git$/, '');
}
