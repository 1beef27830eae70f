import { isBranchName, isCommitSha } from '../../apps/git-ref.ts';
import { recordCheckout } from '../../deployments/deployment-store.ts';
import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import { beginStep } from '../begin-step.ts';
import { recordMirror } from '../clean-up/mirror-store.ts';
import type { Job, Tools } from '../job.ts';
import type { Checkout } from '../ports.ts';

/** Brings exactly the commit that was asked for (or the branch's head, pinned now) into a folder of this attempt. */
export async function checkOutSource(job: Job, tools: Tools): Promise<Checkout> {
  const { branch, requestedSha, commitSha } = job.row;
  // The API has checked both; a row that came another way must not reach git (T01, T02).
  if (branch !== null && !isBranchName(branch))
    throw new DeploymentFailed('invalid_ref', 'The branch name is not valid.');
  const wanted = requestedSha ?? commitSha;
  if (wanted !== null && !isCommitSha(wanted))
    throw new DeploymentFailed('invalid_ref', 'The commit is not a full SHA.');

  await beginStep(job, tools, 'cloning');
  const { app } = job.row;
  const { repoUrl, submodules, lfs } = job.config;
  const credentialFor = (url: string) =>
    tools.credentials.find({ userId: app.project.userId, appId: app.id, repoUrl: url });
  const checkout = await tools.source.checkout(
    {
      deploymentId: job.row.id,
      attempt: job.claim.attempt,
      projectId: app.projectId,
      repoUrl,
      branch,
      // A second attempt builds what the first one saw, though the branch may have moved meanwhile.
      commitSha: wanted,
      credential: await credentialFor(repoUrl),
      submodules: submodules ? { credentialFor } : null,
      lfs,
    },
    { onLine: job.say, signal: job.signal },
  );
  await recordCheckout(tools.prisma, job.claim, checkout);
  if (checkout.mirrorBytes !== null) {
    await recordMirror(tools.prisma, { projectId: app.projectId, repoUrl }, checkout.mirrorBytes);
  }
  return checkout;
}
