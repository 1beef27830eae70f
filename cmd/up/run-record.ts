import type { StartSettings } from '../../internal/config/start-settings.ts';
import { identifyProcess, type ProcessIdentity } from '../../internal/host/process-identity.ts';
import { type RunState, removeRunState, writeRunState } from '../../internal/host/run-state.ts';
import { apiUrl } from './addresses.ts';

type Changing = Pick<RunState, 'ready' | 'traefikContainerId' | 'embeddedPostgres' | 'sampleRepoUrl'>;

/** `run.json` while it is being written: at every change, so that whoever finds it after a crash can end everything. */
export class RunRecord {
  readonly #settings: StartSettings;
  readonly #httpPort: number;
  readonly #supervisor: ProcessIdentity | null = identifyProcess(process.pid);
  readonly #processes = new Map<string, ProcessIdentity>();
  #changing: Changing = {
    ready: false,
    traefikContainerId: null,
    embeddedPostgres: false,
    sampleRepoUrl: null,
  };
  #removed = false;

  constructor(settings: StartSettings, httpPort: number) {
    this.#settings = settings;
    this.#httpPort = httpPort;
  }

  set(change: Partial<Changing>): void {
    this.#changing = { ...this.#changing, ...change };
    this.#write();
  }

  /** Null: it is not running now. */
  setProcess(name: string, identity: ProcessIdentity | null): void {
    if (identity === null) this.#processes.delete(name);
    else this.#processes.set(name, identity);
    this.#write();
  }

  /** Nothing is left; what is told later is not written any more. */
  remove(): void {
    this.#removed = true;
    removeRunState(this.#settings.dataDir);
  }

  #write(): void {
    if (this.#removed || this.#supervisor === null) return;
    writeRunState(this.#settings.dataDir, {
      ...this.#changing,
      supervisor: this.#supervisor,
      processes: Object.fromEntries(this.#processes),
      apiUrl: apiUrl(this.#settings),
      baseDomain: this.#settings.baseDomain,
      httpPort: this.#httpPort,
    });
  }
}
