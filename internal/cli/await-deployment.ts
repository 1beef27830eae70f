import type { ApiClient } from './api-client.ts';
import type { Deployment } from './api-views.ts';
import { Interrupted } from './cli-error.ts';
import { describeChange } from './describe-deployment.ts';
import { exitCodeOf } from './exit-code.ts';
import { formatEntry } from './format-entry.ts';
import type { LogEntry } from './log-entry.ts';
import { PATIENCE, Patience, type PatienceLimits } from './patience.ts';
import { followLog } from './read-log.ts';
import type { Terminal } from './terminal.ts';

/** Of a failed build these many lines are told again below the reason. */
const LAST_LINES = 20;

export interface AwaitedDeployment {
  readonly deployment: Deployment;
  /** Of what it wrote, for one that has no last words of its own. */
  readonly lastLines: readonly string[];
}

/**
 * Follows a deployment until it is live or will never be, its lines and steps on standard error. An API that restarts
 * is waited for. Being interrupted leaves the deployment as it is, and says so.
 */
export async function awaitDeployment(
  id: string,
  tools: { client: ApiClient; terminal: Terminal; signal: AbortSignal; limits?: PatienceLimits },
): Promise<AwaitedDeployment> {
  const { client, terminal, signal } = tools;
  const patience = new Patience({
    signal,
    limits: tools.limits ?? PATIENCE,
    onOutage: () => terminal.message('The API does not answer; trying again …'),
  });
  const lastLines: string[] = [];
  try {
    for (;;) {
      for await (const entry of followLog(client, `/deployments/${id}/logs`, { patience })) {
        showEntry(terminal, entry);
        if (entry.kind === 'line') keepLast(lastLines, entry.line.text);
        // Whoever waits wants the new release; the old one's last answers they need not wait for.
        else if (entry.change.status === 'live') break;
      }
      const deployment = await patience.ask(() => client.get<Deployment>(`/deployments/${id}`));
      if (exitCodeOf(deployment.status) !== null) return { deployment, lastLines };
      // The stream has ended and the deployment has not: it was put back into the queue meanwhile.
    }
  } catch (error) {
    if (error instanceof Interrupted) {
      terminal.message(
        `Deployment ${id} goes on without you: "berth logs -f ${id}" follows it, "berth cancel ${id}" ends it.`,
      );
    }
    throw error;
  } finally {
    terminal.showProgress(null);
  }
}

function showEntry(terminal: Terminal, entry: LogEntry): void {
  if (entry.kind === 'status') terminal.showProgress(describeChange(entry.change));
  terminal.message(formatEntry(entry, terminal.errorColours));
}

function keepLast(lines: string[], line: string): void {
  lines.push(line);
  if (lines.length > LAST_LINES) lines.shift();
}
