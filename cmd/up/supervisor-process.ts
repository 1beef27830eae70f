import { type ChildProcess, fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { LogFile } from '../../internal/host/log-file.ts';
import { MEMORY_ENVIRONMENT, supervisorFile } from './programs.ts';
import { DETACH, type Report } from './report.ts';

/** The supervisor as seen by whoever started it. */
export class SupervisorProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  static start(
    dataDir: string,
    environment: Readonly<Record<string, string | undefined>>,
  ): SupervisorProcess {
    const { file, execArgv } = supervisorFile();
    const log = new LogFile(dataDir, 'supervisor');
    log.rotate();
    const output = log.open();
    const child = fork(file, [], {
      env: { ...MEMORY_ENVIRONMENT, ...environment },
      execArgv,
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
    });
    closeSync(output);
    return new SupervisorProcess(child);
  }

  /** Until everything answers. @throws CannotStart with its reason */
  async ready(onReport: (report: Report) => void): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#child.on('message', (message) => {
        const report = message as Report;
        onReport(report);
        if (report.kind === 'ready') resolve();
        if (report.kind === 'failed') reject(new CannotStart(report.message, report.details));
      });
    });
    const gone = this.#ended.then(() => {
      throw new CannotStart(
        'The supervisor ended before everything was up; see log/supervisor.log in DATA_DIR.',
      );
    });
    await Promise.race([answered, gone]);
  }

  /** Lets it run on without us. */
  detach(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.send(DETACH, (error) => {
        if (error) return reject(error);
        this.#child.disconnect();
        this.#child.unref();
        resolve();
      });
    });
  }

  /** Asks it to end everything; `ended()` tells when that is done. */
  askToEnd(): void {
    this.#child.kill('SIGTERM');
  }

  ended(): Promise<void> {
    return this.#ended;
  }
}
