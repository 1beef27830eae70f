/** A repository at GitHub, lower-case: GitHub makes no difference between upper and lower case. */
export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
  /** `owner/name`. */
  readonly fullName: string;
}

/**
 * Which repository of this GitHub a URL names, with or without `.git`; null for one elsewhere.
 * @param githubUrl https://github.com, or that of a GitHub Enterprise Server
 */
export function whichRepository(repoUrl: string, githubUrl: string): RepositoryName | null {
  const url = parse(repoUrl);
  const github = new URL(githubUrl);
  if (!url) return null;
  const isThere = url.protocol === 'ssh:' ? url.hostname === github.hostname : url.host === github.host;
  const [, owner, name] = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url.pathname) ?? [];
  return isThere && owner !== undefined && name !== undefined ? repositoryName(owner, name) : null;
}

export function repositoryName(owner: string, name: string): RepositoryName {
  const parts = { owner: owner.toLowerCase(), name: name.toLowerCase() };
  return { ...parts, fullName: `${parts.owner}/${parts.name}` };
}

/** `git@host:owner/name` means what `ssh://git@host/owner/name` does. */
function parse(repoUrl: string): URL | null {
  const text = repoUrl.replace(/^git@([^/:]+):/, 'ssh://git@$1/');
  return URL.canParse(text) ? new URL(text) : null;
}
