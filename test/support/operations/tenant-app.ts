import type { Db, User } from '../../../internal/db/database.ts';
import { newId } from '../../../internal/db/ids.ts';
import { requestDeployment } from '../../../internal/deployments/request-deployment.ts';
import { storeEnvironment } from '../../../internal/envvars/env-var-store.ts';
import { appendLines } from '../../../internal/logs/append-lines.ts';
import { runtimeStreamId } from '../../../internal/logs/runtime-stream.ts';
import type { SealedBox } from '../../../internal/secrets/sealed-box.ts';
import { sealContext } from '../../../internal/secrets/sealed-columns.ts';
import { Secret } from '../../../internal/secrets/secret.ts';
import { storeDelivery, storeOutcomes } from '../../../internal/webhooks/delivery-store.ts';
import { sealWebhookSecret } from '../../../internal/webhooks/webhook-secret.ts';
import { pushPayload } from '../github-events.ts';

export interface TenantApp {
  readonly projectId: string;
  readonly appId: string;
  readonly variableId: string;
  readonly webhookSecret: string;
  /** A release that was replaced, with its image; the one that serves; and a deployment that waits. */
  readonly retiredId: string;
  readonly liveId: string;
  readonly pendingId: string;
  readonly deliveryId: string;
}

interface Of {
  readonly githubUrl: string;
  readonly user: Pick<User, 'id' | 'hash'>;
  readonly mark: string;
  readonly canary: string;
}

/** A project with an app that has everything an app can have. */
export async function makeTenantApp(tx: Db, box: SealedBox, of: Of): Promise<TenantApp> {
  const { githubUrl, user, mark, canary } = of;
  const project = await tx.project.create({
    data: { id: newId(), userId: user.id, name: `p-${mark}`, networkName: `${user.hash}-p-${mark}` },
  });
  const appId = newId();
  const webhookSecret = `${canary}-webhook-${'s'.repeat(32)}`;
  await tx.app.create({
    data: {
      id: appId,
      projectId: project.id,
      name: `a-${mark}`,
      repoUrl: `${githubUrl}/${mark}/shop`,
      branch: 'main',
      webhookSecret: sealWebhookSecret(box, appId, new Secret(webhookSecret)),
      deployKeyPublic: `ssh-ed25519 ${Buffer.from(mark).toString('base64')} a-${mark}`,
      deployKeyPrivate: box.seal(`${canary}-key`, sealContext('services.deploy_key_private', appId)),
      hosts: { create: { host: `a-${mark}.apps.test`, kind: 'generated' } },
    },
  });
  await storeEnvironment(tx, box, appId, [{ key: 'SETTING', value: `${canary}-value` }]);
  const variable = await tx.envVar.findFirstOrThrow({ where: { appId } });
  const retiredId = await release(tx, box, { appId, image: 'sha256:one', status: 'retired' });
  const liveId = await release(tx, box, { appId, image: 'sha256:two', status: 'live' });
  await tx.app.update({ where: { id: appId }, data: { liveDeploymentId: liveId } });
  const { id: pendingId } = await requestDeployment(tx, { appId, trigger: 'manual' }, box);
  for (const stream of [runtimeStreamId(appId), retiredId, liveId, pendingId]) {
    await appendLines(tx, stream, [{ source: 'runtime', level: 'info', stream: 'stdout', text: mark }]);
  }
  const deliveryId = await receivePush(tx, box, { appId, mark, canary });
  return {
    projectId: project.id,
    appId,
    variableId: variable.id,
    webhookSecret,
    retiredId,
    liveId,
    pendingId,
    deliveryId,
  };
}

/** As a worker leaves a deployment that went live. */
async function release(
  tx: Db,
  box: SealedBox,
  { appId, image, status }: { appId: string; image: string; status: 'live' | 'retired' },
): Promise<string> {
  const { id } = await requestDeployment(tx, { appId, trigger: 'manual' }, box);
  const at = new Date();
  await tx.deployment.update({
    where: { id },
    data: { status, imageId: image, imageTag: `berth/web:${id}`, port: 80, startedAt: at, liveAt: at },
  });
  return id;
}

async function receivePush(
  tx: Db,
  box: SealedBox,
  of: { appId: string } & Pick<Of, 'mark' | 'canary'>,
): Promise<string> {
  const { appId, mark, canary } = of;
  const payload = pushPayload({ repository: `${mark}/shop`, message: `${canary}-payload` });
  const id = await storeDelivery(tx, box, {
    target: `app:${appId}`,
    deliveryId: mark,
    replayOf: null,
    event: 'push',
    action: null,
    repository: `${mark}/shop`,
    ref: 'refs/heads/main',
    commitSha: 'a'.repeat(40),
    sender: mark,
    text: JSON.stringify(payload),
  });
  if (id === null) throw new Error(`there is a delivery ${mark} already`);
  await storeOutcomes(tx, id, [{ appId, outcome: 'ignored', reason: 'other branch', deploymentId: null }]);
  return id;
}
