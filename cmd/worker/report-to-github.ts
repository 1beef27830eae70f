import { systemClock } from '../../internal/clock/clock.ts';
import type { Config } from '../../internal/config/config.ts';
import { dropDuty, holdDuty } from '../../internal/engine/leader-store.ts';
import { type ReportNeeds, runReports } from '../../internal/reports/run-reports.ts';

const DUTY = 'github-reports';
/** Several calls of GitHub, each with its own limit, must fit in. */
const LEASE_SECONDS = 90;

/** One worker at a time tells GitHub of deployments; where nobody can have connected it, none does. */
export async function reportToGithub(
  parts: Pick<ReportNeeds, 'prisma' | 'box' | 'github' | 'logger'>,
  { config, workerId, signal }: { config: Config; workerId: string; signal: AbortSignal },
): Promise<void> {
  if (config.github.app === null && config.github.oauth === null) return;
  const { prisma } = parts;
  await runReports(
    {
      ...parts,
      clock: systemClock,
      publicUrl: config.publicUrl,
      entryPoint: config,
      pollIntervalMs: config.pollIntervalMs,
      hold: () => holdDuty(prisma, DUTY, { id: workerId, leaseSeconds: LEASE_SECONDS }),
      drop: () => dropDuty(prisma, DUTY, workerId),
    },
    signal,
  );
}
