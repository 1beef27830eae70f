/** A line of `.gitmodules` that can be acted upon. */
export interface Submodule {
  readonly name: string;
  /** Relative, of plain parts. */
  readonly path: string;
  /** As it stands there. */
  readonly url: string;
}

/** Reads what `git config --null --list` makes of `.gitmodules`; what has no path and URL is none. */
export function parseSubmodules(output: string): Submodule[] {
  const found = new Map<string, { path?: string; url?: string }>();
  for (const entry of output.split('\0')) {
    const [, name, key, value] = /^submodule\.([^\n]+)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name === undefined || value === undefined) continue;
    found.set(name, { ...found.get(name), [key === 'path' ? 'path' : 'url']: value });
  }
  return [...found].flatMap(([name, { path, url }]) =>
    path !== undefined && url !== undefined && isPlainPath(path) ? [{ name, path, url }] : [],
  );
}

/** Of ids by path, those that a tree has as submodules (`git ls-tree -z`). */
export function parseGitlinks(output: string): Map<string, string> {
  const links = [...output.matchAll(/160000 commit ([0-9a-f]{40})\t([^\0]+)\0/g)];
  return new Map(links.map(([, id = '', path = '']) => [path, id]));
}

/**
 * Where a submodule lies, as Git says: beginning with `./` or `../` it is relative to the repository that names it. The
 * two ways to write ssh are read as https, by which it is asked, with the credential that is there for that address.
 * Whether the result may be asked at all is for `parseRepoUrl` to say. Null: above the host.
 */
export function resolveSubmoduleUrl(parentUrl: string, url: string): string | null {
  if (!/^\.\.?\//.test(url))
    return url.replace(
      SSH,
      (_whole, host: string | undefined, scpHost: string) => `https://${host ?? scpHost}/`,
    );
  const parent = new URL(parentUrl);
  const parts = parent.pathname.split('/').filter((part) => part !== '');
  let rest = url;
  for (let step = RELATIVE.exec(rest)?.[0]; step !== undefined; step = RELATIVE.exec(rest)?.[0]) {
    if (step.startsWith('..') && parts.pop() === undefined) return null;
    rest = rest.slice(step.length);
  }
  return `${parent.origin}/${[...parts, rest].join('/')}`;
}

const SSH = /^(?:ssh:\/\/git@([a-z0-9][a-z0-9.-]*)\/|git@([a-z0-9][a-z0-9.-]*):(?!\/))/i;
const RELATIVE = /^\.\.?\/+/;

function isPlainPath(path: string): boolean {
  return (
    path.length <= 1000 &&
    !/[\p{Cc}\\]/u.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/^\.git$/i.test(part))
  );
}
