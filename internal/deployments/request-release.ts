import type { Db, Deployment } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { appendLines } from '../logs/append-lines.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { openSnapshot, type ReleaseConfig, sealSnapshot } from './config-snapshot.ts';
import { enqueue, wishToRun } from './deployment-queue.ts';

/** A release that another one is made from. */
export type SourceRelease = Pick<
  Deployment,
  | 'id'
  | 'appId'
  | 'branch'
  | 'commitSha'
  | 'commitMessage'
  | 'imageId'
  | 'imageTag'
  | 'registryTag'
  | 'configSnapshot'
>;

/**
 * Queues a deployment of an image that is there already, through the same gate, without a clone or a build. The app is
 * to run from now on.
 * @param config what it is to run with; not given: exactly what the other one ran with
 */
export async function requestRelease(
  tx: Db,
  of: {
    source: SourceRelease;
    trigger: 'rollback' | 'restart' | 'start' | 'settings';
    config?: ReleaseConfig;
  },
  box: SealedBox,
): Promise<Deployment> {
  const { source, trigger } = of;
  const id = newId();
  const config = of.config ?? openSnapshot(box, source.id, source.configSnapshot);
  await wishToRun(tx, source.appId);
  return enqueue(tx, {
    id,
    appId: source.appId,
    trigger,
    branch: source.branch,
    requestedSha: source.commitSha,
    configSnapshot: sealSnapshot(box, id, config),
    imageFromId: source.id,
    imageId: source.imageId,
    imageTag: source.imageTag,
    registryTag: source.registryTag,
    commitSha: source.commitSha,
    commitMessage: source.commitMessage,
  });
}

/**
 * Queues a build of the very commit of a release whose image is gone, with its configuration. Its release command has
 * run: in its stead, not as new code.
 */
export async function requestRebuild(tx: Db, source: SourceRelease, box: SealedBox): Promise<Deployment> {
  const id = newId();
  const row = await enqueue(tx, {
    id,
    appId: source.appId,
    trigger: 'restart',
    branch: source.branch,
    requestedSha: source.commitSha,
    configSnapshot: sealSnapshot(box, id, openSnapshot(box, source.id, source.configSnapshot)),
    imageFromId: source.id,
  });
  const text = `The image of release ${source.id} is gone from the machine; its commit is built again.`;
  await appendLines(tx, id, [{ source: 'deploy', level: 'warning', stream: null, text }]);
  return row;
}
