import { join } from 'node:path';
import { recordImage } from '../../deployments/deployment-store.ts';
import { beginStep } from '../begin-step.ts';
import { attemptRef, type Job, type Tools } from '../job.ts';
import { planBuild } from '../plan-build.ts';
import type { BuiltImage, Checkout } from '../ports.ts';

/** Decides how the repository is built, builds it, and writes down which image came out. */
export async function buildImage(job: Job, tools: Tools, checkout: Checkout): Promise<BuiltImage> {
  await beginStep(job, tools, 'building');
  const { config } = job;
  const facts = await tools.repository.read(checkout.directory, config);
  const plan = planBuild(facts, { ...config, nodeImage: tools.settings.nodeImage });
  if (plan.kind === 'generated') {
    job.say({ text: `${plan.why} Building with this Dockerfile:`, level: 'deploy' });
    for (const text of plan.dockerfile.trimEnd().split('\n')) job.onBuildLine({ text: `    ${text}` });
  }
  const tag = `berth/${job.row.app.name}:${job.row.id}`;
  const image = await tools.images.build(
    {
      ref: attemptRef(job),
      contextDirectory: join(checkout.directory, config.rootDirectory),
      dockerfile: plan.kind === 'generated' ? { generated: plan.dockerfile } : { path: plan.path },
      tag,
    },
    { onLine: job.onBuildLine, room: job.roomForLines, signal: job.signal },
  );
  await recordImage(tools.prisma, job.claim, { imageId: image.imageId, imageTag: tag, bytes: image.bytes });
  tools.checkpoint('built');
  const megabytes = (image.bytes / 1024 / 1024).toFixed(1);
  job.say({ text: `Built ${tag} (${megabytes} MB)`, level: 'deploy' });
  return image;
}
