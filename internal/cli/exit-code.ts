/** How `berth` ends, for scripts: a promise, told in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** The deployment failed. */
  failed: 1,
  /** The command line was not understood, or needs an answer that nobody is there to give. */
  usage: 2,
  /** The deployment was cancelled, or a newer one took its place. */
  notDeployed: 3,
  /** The API cannot be reached or cannot work, or does not know the token. */
  unreachable: 4,
  /** The API refused: no such app, a taken name, a field that is not usable. */
  refused: 5,
  /** A fault of `berth` itself. */
  bug: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What has become of a deployment, as an exit code; null while it is under way. */
export function exitCodeOf(status: string): ExitCode | null {
  switch (status) {
    case 'live':
    // It was live; what came after is another deployment's story.
    case 'retired':
    case 'stopped':
      return EXIT.ok;
    case 'failed':
    case 'crashed':
      return EXIT.failed;
    case 'cancelled':
    case 'superseded':
      return EXIT.notDeployed;
    default:
      return null;
  }
}
