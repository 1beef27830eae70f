import { isBranchName, isCommitSha } from '../../apps/git-ref.ts';
import { recordCheckout } from '../../deployments/deployment-store.ts';
import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import { beginStep } from '../begin-step.ts';
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
  const { repoUrl } = job.config;
  const credential = await tools.credentials.find({ userId: app.project.userId, appId: app.id, repoUrl });
  const checkout = await tools.source.checkout(
    {
      deploymentId: job.row.id,
      attempt: job.claim.attempt,
      repoUrl,
      branch,
      // A second attempt builds what the first one saw, though the branch may have moved meanwhile.
      commitSha: wanted,
      credential,
    },
    { onLine: job.say, signal: job.signal },
  );
  await recordCheckout(tools.prisma, job.claim, checkout);
  return checkout;
}
