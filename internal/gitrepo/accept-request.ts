import { isBranchName, isCommitSha } from '../apps/git-ref.ts';
import { parseRepoUrl, type RepoUrlPolicy } from '../apps/repo-url.ts';
import type { CheckoutRequest } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';

/** A request whose every part may be given to Git. */
export interface Source {
  /** By http(s), whatever it is fetched by: what relative URLs and LFS begin with. */
  readonly webUrl: string;
  readonly url: string;
  readonly protocol: 'http' | 'https' | 'ssh';
  /** For people; with the port where it is not the scheme's own. */
  readonly host: string;
  /** May be a private address and plain HTTP. */
  readonly isPrivate: boolean;
  readonly branch: string | null;
  readonly commitSha: string | null;
}

/**
 * The second guard: the API has checked all this, yet rows can come from elsewhere and policies change. With an ssh key
 * the repository is fetched by ssh, from the same host and path.
 * @throws DeploymentFailed clone_forbidden, invalid_ref
 */
export function acceptRequest(
  request: Pick<CheckoutRequest, 'repoUrl' | 'branch' | 'commitSha' | 'credential'>,
  policy: RepoUrlPolicy & { sshPort: number },
): Source {
  const parsed = parseRepoUrl(request.repoUrl, policy);
  if (!parsed.ok) throw new DeploymentFailed('clone_forbidden', `The repository URL ${parsed.problem}.`);
  if (request.branch !== null && !isBranchName(request.branch)) {
    throw new DeploymentFailed('invalid_ref', 'The branch name is not one that this platform accepts.');
  }
  if (request.commitSha !== null && !isCommitSha(request.commitSha)) {
    throw new DeploymentFailed('invalid_ref', 'The commit must be named by its 40 hexadecimal digits.');
  }
  return {
    ...(request.credential.kind === 'ssh_key' ? bySsh(parsed.url, policy.sshPort) : byHttp(parsed)),
    webUrl: parsed.url,
    isPrivate: parsed.isPrivate,
    branch: request.branch,
    commitSha: request.commitSha?.toLowerCase() ?? null,
  };
}

function byHttp({ url, host }: { url: string; host: string }): Pick<Source, 'url' | 'protocol' | 'host'> {
  return { url, protocol: url.startsWith('https:') ? 'https' : 'http', host };
}

function bySsh(url: string, port: number): Pick<Source, 'url' | 'protocol' | 'host'> {
  const { hostname, pathname } = new URL(url);
  const host = port === 22 ? hostname : `${hostname}:${port}`;
  return { url: `ssh://git@${host}${pathname}`, protocol: 'ssh', host: hostname };
}
