import type { Platform } from '../platform.ts';
import type { PrivateDocker } from '../private-docker.ts';
import { checkHolders } from './check-holders.ts';
import { checkLeftovers } from './check-leftovers.ts';
import { checkLogs, checkSecrets } from './check-logs.ts';
import { checkReleases } from './check-releases.ts';
import { checkEnds, checkRequests } from './check-requests.ts';
import type { ForeignObjects } from './foreign-objects.ts';
import type { SoakApp } from './soak-apps.ts';
import type { SoakLoad } from './soak-load.ts';

/** What is looked at when the load has ended. */
export interface SoakScene {
  readonly platform: Platform;
  readonly daemon: PrivateDocker;
  readonly apps: readonly SoakApp[];
  readonly load: SoakLoad;
  readonly foreign: ForeignObjects;
}

type Check = (scene: SoakScene) => Promise<string[]>;

/** Each gives a sentence for everything that is not so. I3 is what the probes have seen. */
const CHECKS: readonly (readonly [string, Check])[] = [
  ['I1 every accepted request has its row', checkRequests],
  ['I2 every deployment ends, once, and says how', ({ platform }) => checkEnds(platform.prisma)],
  ['I4 one live deployment for each app, and it answers', checkReleases],
  ['I5 nothing is left over', checkLeftovers],
  ['I6 logs have no gap, and end with the status', ({ platform }) => checkLogs(platform.prisma)],
  ['I7 one holder at a time', ({ platform }) => checkHolders(platform.prisma)],
  ['I8 no secret is in any log', secretsIn],
  ['I9 volumes and what is not ours stay', ({ foreign }) => foreign.missing()],
];

export async function checkInvariants(scene: SoakScene): Promise<string[]> {
  const violations: string[] = [];
  for (const [name, check] of CHECKS) {
    violations.push(...(await check(scene)).map((sentence) => `${name}: ${sentence}`));
  }
  return violations;
}

function secretsIn({ platform, apps }: SoakScene): Promise<string[]> {
  const canaries = new Map(apps.map(({ app, canary }) => [app.name, canary]));
  return checkSecrets(platform.prisma, { dataDir: platform.dataDir, canaries });
}

/** What time alone puts right: first the queue, then what it leaves behind. */
export const SETTLING: readonly Check[] = [
  ({ platform }) => checkEnds(platform.prisma),
  async (scene) => [...(await checkReleases(scene)), ...(await checkLeftovers(scene))],
];
