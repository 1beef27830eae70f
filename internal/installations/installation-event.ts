import { z } from 'zod';
import {
  type CoveredRepository,
  coveredRepository,
  type GithubInstallation,
  installation,
} from '../github/shapes.ts';

/** What an event of the GitHub App says of one installation. */
export interface InstallationEvent {
  readonly action:
    | 'installed'
    | 'removed'
    | 'suspended'
    | 'unsuspended'
    | 'changed'
    | 'repositories_added'
    | 'repositories_removed';
  readonly installation: GithubInstallation;
  /** Those it is about: all covered ones of a new installation, else those added or removed. */
  readonly repositories: readonly CoveredRepository[];
}

const repositories = z.array(coveredRepository).default([]);

const installationPayload = z.object({ action: z.string(), installation, repositories });
const repositoriesPayload = z.object({
  action: z.string(),
  installation,
  repository_selection: z.enum(['all', 'selected']).optional(),
  repositories_added: repositories,
  repositories_removed: repositories,
});

const ACTIONS: Readonly<Record<string, InstallationEvent['action']>> = {
  created: 'installed',
  deleted: 'removed',
  suspend: 'suspended',
  unsuspend: 'unsuspended',
};

/** Reads `installation` and `installation_repositories` events; null when it is not of that shape. */
export function readInstallationEvent(event: string, payload: unknown): InstallationEvent | null {
  if (event === 'installation') {
    const parsed = installationPayload.safeParse(payload);
    if (!parsed.success) return null;
    const { action, ...data } = parsed.data;
    return { ...data, action: ACTIONS[action] ?? 'changed' };
  }
  const parsed = repositoriesPayload.safeParse(payload);
  if (event !== 'installation_repositories' || !parsed.success) return null;
  const { data } = parsed;
  const isAdded = data.action === 'added';
  return {
    action: isAdded ? 'repositories_added' : 'repositories_removed',
    installation: {
      ...data.installation,
      repositorySelection: data.repository_selection ?? data.installation.repositorySelection,
    },
    repositories: isAdded ? data.repositories_added : data.repositories_removed,
  };
}
