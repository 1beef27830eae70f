import type { PlatformWarning } from '../errors/platform-warnings.ts';

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

export interface EngineWarning {
  readonly code: PlatformWarning;
  /** One sentence with the version and the remedy, for the operator alone. */
  readonly line: string;
}

/**
 * What the operator should update; a code may come twice. Hints and no refusal, since distributions mend without another
 * number.
 */
export function warningsOf({ version, runc }: EngineVersion): EngineWarning[] {
  const advice = [
    ['engine_outdated', adviseHang(version)],
    ['engine_outdated', adviseBuilder(version)],
    ['runc_outdated', adviseRunc(runc)],
  ] as const;
  return advice.flatMap(([code, line]) => (line === null ? [] : [{ code, line }]));
}

/** From here on the network part of the daemon does not lock itself up any more (moby/moby#46661). */
const NEVER_HANGS = [23, 0] as const;

function adviseHang(version: string): string | null {
  if (!isBelow(readVersion(version), NEVER_HANGS)) return null;
  return `Docker Engine ${version} may stop answering while many containers end (moby/moby#46661), until it is started anew: update it to 23.0 or newer. With live-restore apps serve on meanwhile.`;
}

/** The first whose own BuildKit lets no step reach the host; 24.0.9 does not have it mended. */
const SAFE_BUILDER = [25, 0, 2] as const;

function adviseBuilder(version: string): string | null {
  if (!isBelow(readVersion(version), SAFE_BUILDER)) return null;
  return `Docker Engine ${version} is of a time when a build with its BuildKit could reach into the host (CVE-2024-23651, CVE-2024-23652, CVE-2024-23653): update it to 25.0.2 or newer, unless your distribution has closed that in this version.`;
}

/** From each on, no way out of a container was known when this was written (CVE-2024-21626, CVE-2025-31133). */
const SAFE_RUNC = [
  [1, 2, 8],
  [1, 3, 3],
  [1, 4, 0],
] as const;

function adviseRunc(version = ''): string | null {
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
function readVersion(text: string): readonly [number, number, number] | null {
  const [, major, minor, patch = '0'] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return major === undefined || minor === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

function isBelow(found: readonly number[] | null, oldest: readonly number[]): boolean {
  if (found === null) return false;
  const place = oldest.findIndex((number, at) => found[at] !== number);
  return place !== -1 && (found[place] ?? 0) < (oldest[place] ?? 0);
}
