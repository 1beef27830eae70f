import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';

/** What is running for a DATA_DIR, kept in `run.json`, so that any later command can end it, and nothing else. */
export interface RunState {
  readonly supervisor: ProcessIdentity;
  /** True once everything has answered. */
  readonly ready: boolean;
  /** api, worker, traefik: by name. */
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
  readonly traefikContainerId: string | null;
  readonly embeddedPostgres: boolean;
  readonly apiUrl: string;
  readonly baseDomain: string;
  readonly httpPort: number;
  /** Where the sample's repository is served; null: it is not. */
  readonly sampleRepoUrl: string | null;
}

const file = (dataDir: string) => join(dataDir, 'run.json');

/** Null: nothing was left running, or the file cannot be read as ours. */
export function readRunState(dataDir: string): RunState | null {
  try {
    const state: RunState = JSON.parse(readFileSync(file(dataDir), 'utf8'));
    return typeof state.supervisor?.pid === 'number' ? state : null;
  } catch {
    return null;
  }
}

/** Whole or not at all: a reader never sees half a file. */
export function writeRunState(dataDir: string, state: RunState): void {
  const next = `${file(dataDir)}.new`;
  writeFileSync(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, file(dataDir));
}

export function removeRunState(dataDir: string): void {
  rmSync(file(dataDir), { force: true });
}
