import { z } from 'zod';
import type { Secret } from '../secrets/secret.ts';
import type { CallGithub } from './call-github.ts';
import * as shapes from './shapes.ts';
import type { RepositoryName } from './which-repository.ts';

/** Tells GitHub of a deployment: as a commit status, and as a Deployment with an environment. */
export interface ReportAccess {
  readonly token: Secret;
  readonly repository: RepositoryName;
}

export interface CommitStatus {
  readonly sha: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  /** Tells apart what several apps say of one commit. */
  readonly context: string;
  /** At most 140 characters. */
  readonly description: string;
  readonly targetUrl: string;
}

export async function createCommitStatus(
  call: CallGithub,
  access: ReportAccess,
  status: CommitStatus,
): Promise<void> {
  await call({
    route: 'POST /repos/{owner}/{repo}/statuses/{sha}',
    parameters: {
      ...placeOf(access),
      sha: status.sha,
      state: status.state,
      context: status.context,
      description: status.description,
      target_url: status.targetUrl,
    },
    token: access.token,
    answer: shapes.nothing,
  });
}

export interface NewDeployment {
  readonly sha: string;
  readonly environment: string;
  readonly description: string;
  /** Our id, by which it is found again. */
  readonly mark: string;
}

export async function createDeployment(
  call: CallGithub,
  access: ReportAccess,
  deployment: NewDeployment,
): Promise<bigint> {
  const { data } = await call({
    route: 'POST /repos/{owner}/{repo}/deployments',
    parameters: {
      ...placeOf(access),
      ref: deployment.sha,
      environment: deployment.environment,
      description: deployment.description,
      payload: { berth_deployment: deployment.mark },
      // It runs here already: GitHub shall neither merge anything nor wait for checks.
      auto_merge: false,
      required_contexts: [],
    },
    token: access.token,
    answer: shapes.made,
  });
  return data.id;
}

/** Made by an earlier try that ended before it could note the number. */
export async function findDeployment(
  call: CallGithub,
  access: ReportAccess,
  of: Pick<NewDeployment, 'sha' | 'environment' | 'mark'>,
): Promise<bigint | null> {
  const { data } = await call({
    route: 'GET /repos/{owner}/{repo}/deployments',
    parameters: { ...placeOf(access), sha: of.sha, environment: of.environment, per_page: 100 },
    token: access.token,
    answer: z.array(shapes.markedDeployment),
  });
  return data.find(({ payload }) => markIn(payload) === of.mark)?.id ?? null;
}

export interface DeploymentStatus {
  readonly state: 'queued' | 'in_progress' | 'success' | 'failure' | 'inactive';
  /** At most 140 characters. */
  readonly description: string;
  readonly logUrl: string;
  /** Where the release answers. */
  readonly environmentUrl: string | null;
}

export async function createDeploymentStatus(
  call: CallGithub,
  access: ReportAccess,
  { githubId, status }: { githubId: bigint; status: DeploymentStatus },
): Promise<void> {
  await call({
    route: 'POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses',
    parameters: {
      ...placeOf(access),
      deployment_id: String(githubId),
      state: status.state,
      description: status.description,
      log_url: status.logUrl,
      ...(status.environmentUrl === null ? {} : { environment_url: status.environmentUrl }),
    },
    token: access.token,
    answer: shapes.nothing,
  });
}

function placeOf({ repository }: ReportAccess) {
  return { owner: repository.owner, repo: repository.name };
}

function markIn(payload: unknown): unknown {
  const isMarked = typeof payload === 'object' && payload !== null && 'berth_deployment' in payload;
  return isMarked ? payload.berth_deployment : null;
}
