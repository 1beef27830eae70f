import type { Db } from '../db/database.ts';
import type { DeploymentStatus } from './deployment-status.ts';

/** What GitHub is told of a deployment. */
export type ReportState = 'pending' | 'in_progress' | 'success' | 'failure' | 'inactive';

export function reportState(status: DeploymentStatus): ReportState {
  switch (status) {
    case 'pending':
      return 'pending';
    case 'building':
    case 'deploying':
      return 'in_progress';
    case 'live':
      return 'success';
    case 'failed':
    case 'crashed':
      return 'failure';
    case 'cancelled':
    case 'superseded':
    case 'retired':
    case 'stopped':
      return 'inactive';
    default:
      return status satisfies never;
  }
}

/**
 * Notes, in the transaction of a change, that GitHub is to be told of it: where the owner of the app has given us access
 * there (one of an OAuth app needs the scope `repo`; the GitHub App's own has none), and only if it differs from what
 * was noted last. Whether the repository is at that GitHub at all, whoever sends
 * it sees (`internal/reports`); rows know no settings.
 */
export async function queueReport(
  tx: Db,
  { id, status }: { id: string; status: DeploymentStatus },
): Promise<void> {
  const state = reportState(status);
  await tx.$executeRaw`
    INSERT INTO github_reports (deployment_id, state)
    SELECT d.id, ${state}
      FROM deployments d
      JOIN services a ON a.id = d.app_id
      JOIN projects p ON p.id = a.project_id
      JOIN users u ON u.id = p.user_id
     WHERE d.id = ${id}
       AND (u.github_token IS NOT NULL AND (u.github_scopes = '{}' OR 'repo' = ANY (u.github_scopes))
            OR EXISTS (SELECT FROM github_installations i WHERE i.user_id = u.id))
       AND ${state} IS DISTINCT FROM (SELECT r.state FROM github_reports r
                                       WHERE r.deployment_id = d.id ORDER BY r.id DESC LIMIT 1)`;
}
