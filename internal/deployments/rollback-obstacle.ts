/** How many earlier releases keep their image, to roll back to. */
export const KEPT_RELEASES = 5;

/** Why one cannot roll back to a release, as a sentence; null: one can. */
export function rollbackObstacle(release: {
  readonly isLive: boolean;
  /** The name of its image; null once the image is gone from the machine. */
  readonly imageTag: string | null;
  /** Of the releases whose images are kept. */
  readonly isKept: boolean;
}): string | null {
  if (release.isLive) return 'It is the release that runs now.';
  if (release.imageTag === null) {
    return 'Its image is gone from the machine; deploy its commit to build it again.';
  }
  if (!release.isKept) {
    return `Only the images of the last ${KEPT_RELEASES} releases are kept; deploy its commit to build it again.`;
  }
  return null;
}
