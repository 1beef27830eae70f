import { join } from 'node:path';
import type { ReleaseConfig } from '../../deployments/config-snapshot.ts';
import { recordFramework, recordImage } from '../../deployments/deployment-store.ts';
import { buildArguments, buildSecrets } from '../../deployments/release-environment.ts';
import { beginStep } from '../begin-step.ts';
import { buildKey } from '../build-key.ts';
import { recordCache } from '../clean-up/buildkit-cache-store.ts';
import { attemptRef, type Job, type Tools } from '../job.ts';
import { type BuildPlan, planBuild, READ_FILES } from '../plan-build.ts';
import type { BuiltImage, Checkout } from '../ports.ts';

/** Decides how the repository is built, builds it, and writes down which image came out. */
export async function buildImage(job: Job, tools: Tools, checkout: Checkout): Promise<BuiltImage> {
  await beginStep(job, tools, 'building');
  const { config } = job;
  const facts = await tools.repository.read(checkout.directory, { ...config, textsOf: READ_FILES });
  const given = buildArguments(config);
  const plan = planBuild(facts, {
    ...config,
    buildVariables: Object.keys(given),
    images: tools.settings.baseImages,
  });
  const framework = plan.kind === 'generated' ? plan.framework : 'dockerfile';
  await recordFramework(tools.prisma, job.claim, framework);
  if (plan.kind === 'generated') {
    job.say({ text: `${plan.why} Building with this Dockerfile:`, level: 'deploy' });
    for (const text of plan.dockerfile.trimEnd().split('\n')) job.onBuildLine({ text: `    ${text}` });
  }
  const tag = `berth/${job.row.app.name}:${job.row.id}`;
  const image = await tools.images.build(
    {
      ref: attemptRef(job),
      contextDirectory: contextOf(plan, checkout, config),
      dockerfile: plan.kind === 'generated' ? { generated: plan.dockerfile } : { path: plan.path },
      buildArguments: given,
      secrets: buildSecrets(config),
      tag,
      // One that we write has the stages that we name.
      target: plan.kind === 'dockerfile' ? config.dockerTarget : null,
      noCache: job.row.noCache,
      limits: {
        timeoutSeconds: config.buildTimeoutSeconds,
        silenceSeconds: config.buildSilenceSeconds,
        memoryMb: config.buildMemoryMb,
        cpus: config.buildCpus,
        pids: config.buildPids,
        diskMb: config.buildDiskMb,
      },
    },
    {
      onLine: job.onBuildLine,
      room: job.roomForLines,
      onCache: (bytes) => noteCache(job, tools, bytes),
      signal: job.signal,
    },
  );
  await tools.checkpoint('image-made');
  await recordImage(tools.prisma, job.claim, {
    imageId: image.imageId,
    imageTag: tag,
    bytes: image.bytes,
    buildKey: buildKey(job, tools.settings.baseImages, checkout.commitSha),
  });
  await tools.checkpoint('built');
  const megabytes = (image.bytes / 1024 / 1024).toFixed(1);
  job.say({ text: `Built ${tag} (${megabytes} MB)`, level: 'deploy' });
  return image;
}

/** The clean-up goes by it: no reason for a deployment to fail. */
async function noteCache(job: Job, tools: Tools, bytes: number | null): Promise<void> {
  try {
    await recordCache(tools.prisma, job.row.app.id, bytes);
  } catch (error) {
    tools.logger.warn({ err: error, appId: job.row.app.id }, 'the size of a build cache was not stored');
  }
}

/** A package of a workspace is built from its root, where the lock file and the other packages are. */
function contextOf(plan: BuildPlan, { directory }: Checkout, { rootDirectory }: ReleaseConfig): string {
  const isWhole = plan.kind === 'generated' && plan.context === 'repository';
  return isWhole ? directory : join(directory, rootDirectory);
}
