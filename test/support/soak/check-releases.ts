import type { SoakScene } from './invariants.ts';
import type { SoakApp } from './soak-apps.ts';

/** I4: an app's live deployment is one, runs in one healthy container, and answers with the release of its commit. */
export async function checkReleases(scene: SoakScene): Promise<string[]> {
  const problems: string[] = [];
  for (const app of scene.apps) {
    const found = await checkRelease(scene, app);
    problems.push(...found.map((sentence) => `${app.app.name}: ${sentence}`));
  }
  return problems;
}

async function checkRelease({ platform, load }: SoakScene, { app, host }: SoakApp): Promise<string[]> {
  const live = await platform.prisma.deployment.findMany({ where: { appId: app.id, status: 'live' } });
  const { liveDeploymentId } = await platform.prisma.app.findUniqueOrThrow({ where: { id: app.id } });
  const [release, ...others] = live;
  if (!release) return ['nothing is live'];
  if (others.length > 0) return [`${live.map(({ id }) => id).join(' and ')} are live`];
  if (liveDeploymentId !== release.id)
    return [`${release.id} is live, the app points at ${liveDeploymentId}`];

  const problems: string[] = [];
  const containers = await platform.containers({ appId: app.id });
  const isRight =
    containers.length === 1 &&
    containers.every(
      ({ deploymentId, running, health, restartPolicy, labels }) =>
        deploymentId === release.id &&
        labels['berth.attempt'] === String(release.candidateAttempt) &&
        running &&
        health === 'healthy' &&
        restartPolicy === 'always',
    );
  if (!isRight) {
    const seen = containers.map(
      ({ name, running, health, restartPolicy }) =>
        `${name} (running ${running}, ${health}, restart ${restartPolicy})`,
    );
    problems.push(
      `${release.id}, attempt ${release.candidateAttempt}, is live; there is ${seen.join(', ') || 'nothing'}`,
    );
  }
  const expected = load.releases.get(release.commitSha ?? '') ?? `${app.name}@0`;
  const { status, body } = await platform.http(host);
  const answered = status === 200 ? Object(JSON.parse(body)).release : `status ${status}`;
  if (answered !== expected) problems.push(`it answers ${answered}, and live is ${expected}`);
  return problems;
}
