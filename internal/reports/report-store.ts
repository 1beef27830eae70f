import type { DeploymentStatus, PrismaClient } from '../db/database.ts';
import type { ReportState } from '../deployments/report-outbox.ts';

/** One entry of the outbox, with the deployment as it is now. */
export interface DueReport {
  readonly id: bigint;
  readonly state: ReportState;
  readonly attempts: number;
  /** It has waited for a day. */
  readonly isStale: boolean;
  readonly deploymentId: string;
  readonly status: DeploymentStatus;
  readonly failureCode: string | null;
  /** Null: it is not known which commit it will be, or was. */
  readonly commitSha: string | null;
  readonly githubDeploymentId: bigint | null;
  readonly appName: string;
  readonly projectName: string;
  readonly userId: string;
  readonly repoUrl: string;
  readonly host: string | null;
}

/** The next of each deployment, in their order: one is due only when those before it are done. */
export function dueReports(prisma: PrismaClient, limit: number): Promise<DueReport[]> {
  return prisma.$queryRaw<DueReport[]>`
    SELECT r.id, r.state, r.attempts, r.created_at < now() - interval '1 day' AS "isStale",
           d.id AS "deploymentId", d.status::text AS status, d.failure_code AS "failureCode",
           coalesce(d.commit_sha, d.requested_sha) AS "commitSha",
           d.github_deployment_id AS "githubDeploymentId", a.name AS "appName", p.name AS "projectName",
           p.user_id AS "userId", a.repo_url AS "repoUrl",
           (SELECT h.host FROM hosts h WHERE h.app_id = a.id
             ORDER BY h.kind = 'custom', h.created_at LIMIT 1) AS host
      FROM github_reports r
      JOIN deployments d ON d.id = r.deployment_id
      JOIN services a ON a.id = d.app_id
      JOIN projects p ON p.id = a.project_id
     WHERE r.done_at IS NULL AND r.not_before <= now()
       AND NOT EXISTS (SELECT FROM github_reports e
                        WHERE e.deployment_id = r.deployment_id AND e.done_at IS NULL AND e.id < r.id)
     ORDER BY r.not_before, r.id LIMIT ${limit}`;
}

/** @param problem why GitHub could not be told, or not all of it */
export async function markDone(prisma: PrismaClient, id: bigint, problem: string | null): Promise<void> {
  await prisma.$executeRaw`
    UPDATE github_reports SET done_at = now(), last_error = ${problem} WHERE id = ${id} AND done_at IS NULL`;
}

export async function postpone(
  prisma: PrismaClient,
  id: bigint,
  { seconds, problem, isTry }: { seconds: number; problem: string | null; isTry: boolean },
): Promise<void> {
  await prisma.$executeRaw`
    UPDATE github_reports
       SET not_before = now() + make_interval(secs => ${seconds}), attempts = attempts + ${isTry ? 1 : 0}::int,
           last_error = ${problem}
     WHERE id = ${id} AND done_at IS NULL`;
}

export async function noteGithubDeployment(
  prisma: PrismaClient,
  deploymentId: string,
  githubId: bigint,
): Promise<void> {
  await prisma.deployment.updateMany({
    where: { id: deploymentId },
    data: { githubDeploymentId: githubId },
  });
}

/** What was done a day ago nobody asks for any more, so the table stays as small as a day. */
export async function dropOldReports(prisma: PrismaClient): Promise<void> {
  await prisma.$executeRaw`
    DELETE FROM github_reports WHERE done_at < now() - interval '1 day' AND not_before < now() - interval '1 day'`;
}
