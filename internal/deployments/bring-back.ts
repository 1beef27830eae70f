import type { Db, Deployment } from '../db/database.ts';
import { readEnvironment } from '../envvars/env-var-store.ts';
import { AppError } from '../errors/app-error.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { stopDeploymentsOf } from './cancel-deployment.ts';
import { changedSettings, openSnapshot, releaseConfigOf } from './config-snapshot.ts';
import { currentRelease, earlierReleases, rollbackTarget } from './release-reads.ts';
import { requestRelease } from './request-release.ts';
import { settingsWithoutBuild } from './settings-without-build.ts';

/** What is asked of an app as a whole. The app is locked by the caller, so that two of these take turns. */

/** It shall not run: what waits or is built is cancelled; a worker lets its release finish and ends it. */
export async function stopApp(tx: Db, appId: string): Promise<void> {
  await tx.app.update({ where: { id: appId }, data: { desiredState: 'stopped' } });
  await stopDeploymentsOf(tx, [appId]);
}

/** @throws AppError not_stopped, no_release */
export async function startApp(tx: Db, appId: string, box: SealedBox): Promise<Deployment> {
  const app = await tx.app.findUniqueOrThrow({ where: { id: appId }, select: { desiredState: true } });
  if (app.desiredState === 'running' && (await isServed(tx, appId))) {
    throw new AppError('not_stopped', 'The app is not stopped; to begin anew, restart it.');
  }
  return requestRelease(tx, { source: await currentRelease(tx, appId), trigger: 'start' }, box);
}

/** The same image and the same configuration once more. @throws AppError no_release */
export async function restartApp(tx: Db, appId: string, box: SealedBox): Promise<Deployment> {
  return requestRelease(tx, { source: await currentRelease(tx, appId), trigger: 'restart' }, box);
}

/** The present settings, with the image that runs. @throws AppError no_release */
export async function applySettings(tx: Db, appId: string, box: SealedBox): Promise<Deployment> {
  const source = await currentRelease(tx, appId);
  const app = await tx.app.findUniqueOrThrow({ where: { id: appId }, include: { hosts: true } });
  const hosts = app.hosts.map(({ host }) => host);
  const wanted = releaseConfigOf(app, hosts, await readEnvironment(tx, box, appId));
  const live = openSnapshot(box, source.id, source.configSnapshot);
  const config = settingsWithoutBuild(wanted, live);
  return requestRelease(tx, { source, trigger: 'settings', config }, box);
}

/**
 * Image and configuration of an earlier release; pushes deploy nothing from then on, or the next one would undo it.
 * @param deploymentId not given: the last release that differs from the present one
 * @throws AppError not_found, no_release, rollback_impossible
 */
export async function rollBack(
  tx: Db,
  appId: string,
  { deploymentId, box }: { deploymentId: string | undefined; box: SealedBox },
): Promise<Deployment> {
  const source =
    deploymentId === undefined
      ? await previousRelease(tx, appId, box)
      : await rollbackTarget(tx, appId, deploymentId);
  await tx.$executeRaw`
    UPDATE services SET auto_deploy_held_since = coalesce(auto_deploy_held_since, now()) WHERE id = ${appId}`;
  return requestRelease(tx, { source, trigger: 'rollback' }, box);
}

export async function resumeAutoDeploy(tx: Db, appId: string): Promise<void> {
  await tx.app.update({ where: { id: appId }, data: { autoDeployHeldSince: null } });
}

/** A restart is a release too, and going back to it would change nothing. */
async function previousRelease(tx: Db, appId: string, box: SealedBox): Promise<Deployment> {
  const current = await currentRelease(tx, appId);
  const settingsOf = (release: Deployment) => openSnapshot(box, release.id, release.configSnapshot);
  const present = settingsOf(current);
  const earlier = await earlierReleases(tx, appId, current);
  const differs = (release: Deployment) =>
    release.imageId !== current.imageId || changedSettings(settingsOf(release), present).length > 0;
  const previous = earlier.find(differs);
  if (!previous) {
    throw new AppError('rollback_impossible', 'There is no earlier release whose image is still here.');
  }
  return previous;
}

async function isServed(tx: Db, appId: string): Promise<boolean> {
  return (await tx.deployment.count({ where: { liveFor: { id: appId } } })) > 0;
}
