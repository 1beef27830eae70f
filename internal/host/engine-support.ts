/** What `GET /version` tells of a daemon. */
export interface EngineVersion {
  /** e.g. `28.3.1` or `20.10.24+dfsg1` */
  readonly version: string;
  /** The newest API it speaks, e.g. `1.41`. */
  readonly apiVersion: string;
  /** What starts its containers, e.g. `1.3.3`; where it tells. */
  readonly runc?: string | undefined;
}

export type EngineJudgement =
  | { readonly kind: 'known' }
  /** It may work: one sentence for the log. */
  | { readonly kind: 'newer'; readonly line: string }
  /** It will not work: one sentence with the remedy. */
  | { readonly kind: 'too-old'; readonly line: string };

/** 20.10 is the first with API 1.41. */
const OLDEST_ENGINE = [20, 10] as const;
const OLDEST_API = [1, 41] as const;
/** The newest major version that Berth was written for. */
const NEWEST_MAJOR = 29;

/**
 * Whether Berth can work with this daemon. Calls name no API version, so the daemon answers each in its own newest one:
 * neither an old nor a new daemon refuses them for their version, as Engine 29 does below 1.44.
 */
export function judgeEngine({ version, apiVersion }: EngineVersion): EngineJudgement {
  const engine = readVersion(version);
  const api = readVersion(apiVersion);
  if (isBelow(engine, OLDEST_ENGINE) || isBelow(api, OLDEST_API)) {
    return {
      kind: 'too-old',
      line: `Docker Engine ${version} (API ${apiVersion}) is too old: install 20.10 or newer.`,
    };
  }
  if (engine !== null && engine[0] > NEWEST_MAJOR) {
    return {
      kind: 'newer',
      line: `Docker Engine ${version} is newer than the newest that Berth was written for (${NEWEST_MAJOR}); if something fails, look for a newer Berth.`,
    };
  }
  return { kind: 'known' };
}

/** From here on the network part of the daemon does not lock itself up any more (moby/moby#46661). */
const NEVER_HANGS = [23, 0] as const;

/**
 * What to tell the operator of an engine that may stop answering for good while many containers end; null: nothing. A hint
 * and no refusal: it is rare, and distributions mend without another number.
 */
export function adviseEngine(version: string): string | null {
  if (!isBelow(readVersion(version), NEVER_HANGS)) return null;
  return `Docker Engine ${version} may stop answering while many containers end (moby/moby#46661), until it is started anew: update it to 23.0 or newer. With live-restore apps serve on meanwhile.`;
}

/** From each on, no way out of a container was known when this was written (CVE-2024-21626, CVE-2025-31133). */
const SAFE_RUNC = [
  [1, 2, 8],
  [1, 3, 3],
  [1, 4, 0],
] as const;

/**
 * What to tell the operator of a runc that is older; null: nothing. A hint and no refusal, since distributions close holes
 * without another number.
 */
export function adviseRunc(version = ''): string | null {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (patch === undefined) return null;
  const [found, line, fix] = [Number(major), Number(minor), Number(patch)];
  const last = SAFE_RUNC.at(-1) ?? [0, 0, 0];
  if (found > last[0] || (found === last[0] && line > last[1])) return null;
  const floor = SAFE_RUNC.find((safe) => safe[0] === found && safe[1] === line);
  if (floor !== undefined && fix >= floor[2]) return null;
  return `runc ${version} is of a time when ways out of a container were still open (CVE-2025-31133, CVE-2024-21626): update Docker and runc, unless your distribution has closed them in this version.`;
}

/** Null where it is no number, as in a daemon somebody built from its sources; then the other number decides. */
function readVersion(text: string): readonly [number, number] | null {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? null : [Number(major), Number(minor)];
}

function isBelow(found: readonly [number, number] | null, oldest: readonly [number, number]): boolean {
  if (found === null) return false;
  return found[0] < oldest[0] || (found[0] === oldest[0] && found[1] < oldest[1]);
}
