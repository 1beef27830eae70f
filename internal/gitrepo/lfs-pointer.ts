/** What stands in a repository in place of a file that LFS keeps. */
export interface LfsPointer {
  /** SHA-256 of the file, 64 hex digits. */
  readonly oid: string;
  readonly size: number;
}

/** Larger files are none. */
export const MAX_POINTER_BYTES = 1024;

const POINTER =
  /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n?$/;

/** As git-lfs writes them; one with extensions is a program's of its own, and none here. */
export function parseLfsPointer(text: string): LfsPointer | null {
  const [, oid, size] = POINTER.exec(text) ?? [];
  return oid === undefined ? null : { oid, size: Number(size) };
}
