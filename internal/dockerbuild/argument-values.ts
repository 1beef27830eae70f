import { DockerfileParser } from 'dockerfile-ast';
import { logicalLine, parseInstruction, unquote } from './dockerfile-flags.ts';

/** BuildKit reads lines of at most 64 KB. */
const MAX_VALUE_CHARACTERS = 32 * 1024;

/**
 * The text with the arguments of the build behind their ARG instructions, as the value that they have by default there. So
 * they reach BuildKit without standing in a command line, where everyone on the host can read them. Null: one of them
 * cannot be written in one line.
 */
export function withArguments(text: string, values: Readonly<Record<string, string>>): string | null {
  if (Object.values(values).some((value) => !isWritable(value))) return null;
  const dockerfile = DockerfileParser.parse(text);
  const lines = text.split('\n');
  const behind = new Map<number, string>();
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction.getKeyword() !== 'ARG') continue;
    const { start, end } = instruction.getRange();
    const source = lines.slice(start.line, end.line + 1).join('\n');
    const names = namesIn(logicalLine(source, dockerfile.getEscapeCharacter()));
    const added = names
      .filter((name) => Object.hasOwn(values, name))
      .map((name) => `ARG ${name}=${quoted(values[name] ?? '')}`);
    if (added.length > 0) behind.set(end.line, added.join('\n'));
  }
  return lines
    .flatMap((line, index) => {
      const added = behind.get(index);
      return added === undefined ? [line] : [line, added];
    })
    .join('\n');
}

function namesIn(line: string): string[] {
  return parseInstruction(line).words.map((word) => unquote(word.split('=')[0] ?? ''));
}

function isWritable(value: string): boolean {
  return value.length <= MAX_VALUE_CHARACTERS && !/[\n\r\0]/.test(value);
}

/** Nothing means anything between single quotes but the next of them. */
function quoted(value: string): string {
  return `'${value.split("'").join(`'"'"'`)}'`;
}
