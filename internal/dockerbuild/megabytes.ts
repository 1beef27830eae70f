const MEGABYTE = 1024 * 1024;

/** As lines of a build tell sizes: `12.3 MB`, of 1024 × 1024 bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
