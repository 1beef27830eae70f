/**
 * What a platform that works should not be left with: code → what it means and what to do. Everybody may read the codes
 * (`GET /health`), so they name no version of this machine, and neither do these sentences.
 */
export const PLATFORM_WARNINGS = {
  engine_outdated:
    'Docker Engine is of a time when it could hang, and a build could reach into the host: update it to 25.0.2 or newer.',
  runc_outdated:
    'runc is of a time when ways out of a container were still open: update Docker and runc, unless your distribution has closed them in this version.',
} as const;

export type PlatformWarning = keyof typeof PLATFORM_WARNINGS;
export const PLATFORM_WARNING_CODES = Object.keys(PLATFORM_WARNINGS) as PlatformWarning[];
