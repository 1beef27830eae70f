import type { EmbeddedPostgres } from '../../internal/db/embedded-postgres.ts';
import type { Part } from './part.ts';
import type { Reporter } from './report.ts';
import type { RunRecord } from './run-record.ts';
import { isPostgresRunning, startPostgres } from './start-postgres.ts';

/** The embedded Postgres. It is nobody's child, so it is looked for, not waited for. */
export class PostgresPart implements Part {
  readonly name = 'Postgres';
  readonly #dataDir: string;
  readonly #record: RunRecord;
  readonly #report: Reporter;
  #server: Promise<EmbeddedPostgres> | null = null;

  constructor(dataDir: string, record: RunRecord, report: Reporter) {
    this.#dataDir = dataDir;
    this.#record = record;
    this.#report = report;
  }

  async start(): Promise<string> {
    this.#record.set({ embeddedPostgres: true });
    this.#server = startPostgres(this.#dataDir);
    await this.#server;
    return '';
  }

  async url(): Promise<string> {
    if (this.#server === null) throw new Error('Postgres was not started');
    return (await this.#server).url.reveal();
  }

  /** It comes back on its port of before, so those who use it need no restart. */
  async tend(): Promise<void> {
    if (await isPostgresRunning(this.#dataDir)) return;
    this.#report({ kind: 'event', text: 'postgres is gone; starting it again' });
    this.#server = startPostgres(this.#dataDir);
    await this.#server;
  }

  async stop(): Promise<void> {
    const server = await this.#server?.catch(() => null);
    await server?.stop();
  }
}
