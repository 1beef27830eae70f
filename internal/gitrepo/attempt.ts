import type { RepoUrlPolicy } from '../apps/repo-url.ts';
import type { LineSink } from '../engine/ports.ts';
import type { AttemptLimits } from './attempt-limits.ts';
import type { ResolveHost } from './pin-address.ts';

/** What all repositories of one attempt share: the app's own, and those it has as submodules. */
export interface Attempt {
  readonly policy: RepoUrlPolicy & { readonly sshPort: number };
  readonly resolveHost: ResolveHost;
  readonly caFile: string | null;
  /** A connection that brings nothing for so long is ended. */
  readonly lowSpeedSeconds: number;
  readonly limits: AttemptLimits;
  readonly onLine: LineSink;
  /** Where the keys of hosts are kept that nobody has published. */
  readonly knownHosts: string;
  /** Makes a folder for what one repository is asked with; it goes with the attempt. */
  readonly newCredentialFolder: () => Promise<string>;
}
