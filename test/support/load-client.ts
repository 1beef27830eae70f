import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadAnswer } from './load-report.ts';
import { waitUntil } from './wait-until.ts';

/** A constant rate of GETs (half of them on kept-alive connections, half each on a new one) and looping slow POSTs. */
export interface LoadOptions {
  /** Traefik's port on 127.0.0.1. */
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly ratePerSecond: number;
  readonly slowPosts?: { readonly connections: number; readonly milliseconds: number };
  /** It ends by itself after that. */
  readonly maxSeconds: number;
}

export interface LoadProgress {
  readonly sent: number;
  readonly failed: number;
  readonly releases: readonly string[];
}

export interface LoadMessage {
  readonly progress: LoadProgress;
  /** Only in the last message. */
  readonly answers?: readonly LoadAnswer[];
}

export interface Load {
  readonly progress: LoadProgress;
  /** Until someone has got an answer of that release. */
  waitForRelease(release: string, timeoutMs?: number): Promise<void>;
  /** Sends nothing more, awaits what is open, and gives every answer. */
  stop(): Promise<readonly LoadAnswer[]>;
}

/** Starts the load in a process of its own; resolves when the first answers are there. Loopback only. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const child = fork(fileURLToPath(new URL('./load-generator.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
    env: { PATH: process.env['PATH'] },
  });
  // `disconnect` comes after the last message was read; `exit` may come before.
  const closed = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  let progress: LoadProgress = { sent: 0, failed: 0, releases: [] };
  let answers: readonly LoadAnswer[] | undefined;
  child.on('message', (message: LoadMessage) => {
    progress = message.progress;
    answers ??= message.answers;
  });
  child.send(options);

  const load: Load = {
    get progress() {
      return progress;
    },
    async waitForRelease(release, timeoutMs = 30_000) {
      await waitUntil(`an answer of release ${release}`, () => progress.releases.includes(release), {
        timeoutMs,
        intervalMs: 20,
        explain: () => JSON.stringify(progress),
      });
    },
    async stop() {
      if (child.connected) child.send('stop');
      await closed;
      if (!answers) throw new Error(`the load client ended without a report (code ${child.exitCode})`);
      return answers;
    },
  };
  await waitUntil('the first answers of the load', () => progress.sent > 10 || child.exitCode !== null);
  return load;
}
