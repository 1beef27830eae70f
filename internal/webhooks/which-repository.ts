/**
 * `owner/name`, lower-case, of a repository at this GitHub; null for one elsewhere. GitHub makes no difference between
 * upper and lower case, nor between a URL with and without `.git`.
 * @param githubUrl https://github.com, or that of a GitHub Enterprise Server
 */
export function githubRepository(repoUrl: string, githubUrl: string): string | null {
  const url = parse(repoUrl);
  const github = new URL(githubUrl);
  if (!url) return null;
  const isThere = url.protocol === 'ssh:' ? url.hostname === github.hostname : url.host === github.host;
  const [, owner, name] = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url.pathname.toLowerCase()) ?? [];
  return isThere && owner !== undefined && name !== undefined ? `${owner}/${name}` : null;
}

/** `git@host:owner/name` means what `ssh://git@host/owner/name` does. */
function parse(repoUrl: string): URL | null {
  const text = repoUrl.toLowerCase().replace(/^git@([^/:]+):/, 'ssh://git@$1/');
  return URL.canParse(text) ? new URL(text) : null;
}
