/**
 * A Dockerfile of ours that knows these build arguments: in one instruction after each FROM, as arguments end with their
 * stage. Never as ENV, which would stand in the image for everyone who runs it.
 */
export function declareArguments(dockerfile: string, names: readonly string[]): string {
  if (names.length === 0) return dockerfile;
  return dockerfile.replace(/^FROM .*$/gm, (line) => `${line}\nARG ${names.join(' ')}`);
}
