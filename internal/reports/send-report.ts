import { type AppEntryPoint, urlOf } from '../apps/app-url.ts';
import type { PrismaClient } from '../db/database.ts';
import {
  createCommitStatus,
  createDeployment,
  createDeploymentStatus,
  findDeployment,
  type ReportAccess,
} from '../github/deployment-reports.ts';
import type { TokenPurpose } from '../github/github-app.ts';
import { GithubRefused } from '../github/github-error.ts';
import { type RepositoryName, whichRepository } from '../github/which-repository.ts';
import { type TokenNeeds, withRepositoryToken } from '../installations/repository-token.ts';
import { type DueReport, noteGithubDeployment } from './report-store.ts';
import { commitState, deploymentState, describe, environmentName, type ReportFacts } from './report-words.ts';

export interface SendNeeds extends TokenNeeds {
  readonly prisma: PrismaClient;
  readonly publicUrl: string;
  readonly entryPoint: AppEntryPoint;
}

/** `told`: as far as GitHub takes it, with what it refused. `no_commit`: there is nothing yet to tell of. */
export type Outcome =
  | { readonly kind: 'told'; readonly problem: string | null }
  | { readonly kind: 'no_commit' };

interface Report {
  readonly row: DueReport;
  readonly facts: ReportFacts;
  readonly sha: string;
  readonly repository: RepositoryName;
  readonly environment: string;
  /** Where people read on. */
  readonly page: string;
}

/**
 * Tells GitHub of one change, as a commit status and as a Deployment. Told twice it does no harm.
 * @throws GithubUnavailable: later, then
 */
export async function sendReport(needs: SendNeeds, row: DueReport): Promise<Outcome> {
  const repository = whichRepository(row.repoUrl, needs.github.url);
  if (!repository) return { kind: 'told', problem: null };
  if (row.commitSha === null) return { kind: 'no_commit' };
  const report: Report = {
    row,
    facts: { ...row, url: row.host === null ? null : urlOf(row.host, needs.entryPoint) },
    sha: row.commitSha,
    repository,
    environment: environmentName({ project: row.projectName, app: row.appName }),
    page: `${needs.publicUrl}/api/v1/deployments/${row.deploymentId}`,
  };
  // Each by a right of its own: one that is missing does not keep the other from being told.
  const problems = [await tellOfCommit(needs, report), await tellOfDeployment(needs, report)];
  const told = problems.filter((problem) => problem !== null);
  return { kind: 'told', problem: told.length > 0 ? [...new Set(told)].join(' ') : null };
}

async function tellOfCommit(needs: SendNeeds, report: Report): Promise<string | null> {
  const state = commitState(report.facts);
  if (state === null) return null;
  return byToken(needs, report, 'statuses', (access) =>
    createCommitStatus(needs.github.call, access, {
      sha: report.sha,
      state,
      context: `berth/${report.environment}`,
      description: describe(report.facts),
      targetUrl: report.page,
    }),
  );
}

async function tellOfDeployment(needs: SendNeeds, report: Report): Promise<string | null> {
  const { row, facts } = report;
  // One that GitHub never heard of need not be ended there.
  if (facts.state === 'inactive' && row.githubDeploymentId === null) return null;
  return byToken(needs, report, 'deployments', async (access) => {
    const githubId = row.githubDeploymentId ?? (await makeDeployment(needs, report, access));
    await createDeploymentStatus(needs.github.call, access, {
      githubId,
      status: {
        state: deploymentState(facts),
        description: describe(facts),
        logUrl: report.page,
        environmentUrl: facts.state === 'success' ? facts.url : null,
      },
    });
  });
}

async function makeDeployment(
  { prisma, github }: SendNeeds,
  { row, sha, environment }: Report,
  access: ReportAccess,
): Promise<bigint> {
  const wanted = { sha, environment, mark: row.deploymentId, description: 'Deployed by Berth' };
  // A try before this one may have made it, and ended before it could note so.
  const earlier = row.attempts > 0 ? await findDeployment(github.call, access, wanted) : null;
  const githubId = earlier ?? (await createDeployment(github.call, access, wanted));
  await noteGithubDeployment(prisma, row.deploymentId, githubId);
  return githubId;
}

/** What GitHub refused, in words; null: nothing. */
async function byToken(
  needs: SendNeeds,
  { row, repository }: Report,
  purpose: TokenPurpose,
  work: (access: ReportAccess) => Promise<void>,
): Promise<string | null> {
  try {
    const access = { userId: row.userId, repository, purpose };
    // Without a token nobody has asked for reports.
    await withRepositoryToken(needs, access, (token) => work({ token, repository }));
    return null;
  } catch (error) {
    if (error instanceof GithubRefused) return error.message;
    throw error;
  }
}
