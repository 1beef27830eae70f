/** A command as a person typed it, as arguments: plain words run as they are, the rest goes to the container's shell. */
export function argumentsOf(command: string): readonly string[] {
  const words = command.trim().split(/ +/);
  // Without a shell in between, the process itself gets the signals.
  return words.every((word) => /^[\w./:@%+,-]+$/.test(word)) ? words : ['sh', '-c', command];
}
