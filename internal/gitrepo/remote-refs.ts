/** What a remote says it has (`git ls-remote --symref`). */
export interface RemoteRefs {
  /** Branch name → commit. */
  readonly branches: ReadonlyMap<string, string>;
  /** The branch that HEAD points to; null when HEAD is detached, or the server too old to tell. */
  readonly defaultBranch: string | null;
}

const HEADS = 'refs/heads/';
const SHA = /^[0-9a-f]{40}$/;

/** Reads lines such as `ref: refs/heads/main<TAB>HEAD` and `<sha><TAB>refs/heads/main`; other refs are skipped. */
export function parseRemoteRefs(output: string): RemoteRefs {
  const branches = new Map<string, string>();
  let defaultBranch: string | null = null;
  for (const line of output.split('\n')) {
    const [value = '', name = ''] = line.split('\t');
    if (name === 'HEAD' && value.startsWith(`ref: ${HEADS}`)) {
      defaultBranch = value.slice(`ref: ${HEADS}`.length);
    } else if (name === 'HEAD' && defaultBranch !== null && SHA.test(value)) {
      branches.set(defaultBranch, value);
    } else if (name.startsWith(HEADS) && SHA.test(value)) {
      branches.set(name.slice(HEADS.length), value);
    }
  }
  return { branches, defaultBranch };
}

/** The branch to deploy when none is set: `main`, else the remote's default one. Null: neither has a commit. */
export function chooseDefaultBranch(refs: RemoteRefs): string | null {
  if (refs.branches.has('main')) return 'main';
  return refs.defaultBranch !== null && refs.branches.has(refs.defaultBranch) ? refs.defaultBranch : null;
}
