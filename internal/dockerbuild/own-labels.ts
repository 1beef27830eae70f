import { DockerfileParser } from 'dockerfile-ast';

type Labels = Readonly<Record<string, string>>;

/**
 * The Dockerfile with our labels as one last instruction; null where it ends so that nothing can follow (in a
 * continuation). Given as a build option instead, the classic builder makes a step of each, 50 ms apiece.
 */
export function withLabels(text: string, labels: Labels): string | null {
  const instruction = labelInstruction(labels);
  const labelled = `${text}\n${instruction}\n`;
  const last = DockerfileParser.parse(labelled).getInstructions().at(-1);
  return last?.getKeyword() === 'LABEL' && `LABEL ${last.getArgumentsContent()}` === instruction
    ? labelled
    : null;
}

export interface LabelledStages {
  readonly text: string;
  /** The instruction that was put in, and how often. */
  readonly instruction: string;
  readonly count: number;
}

/**
 * The Dockerfile with these labels right after each FROM, so that every layer the classic builder leaves behind tells
 * whose it is: by that they are found and removed, and no app takes a layer of another for its own. Null where they
 * cannot be put in so that everything else stays as it reads.
 */
export function withStageLabels(text: string, labels: Labels): LabelledStages | null {
  const instruction = labelInstruction(labels);
  const before = DockerfileParser.parse(text).getInstructions();
  const lines = text.split('\n');
  // From the last one up, so that the numbers of the lines above stay true.
  const ends = before
    .filter((part) => part.getKeyword() === 'FROM')
    .map((part) => part.getRange().end.line)
    .toReversed();
  for (const line of ends) lines.splice(line + 1, 0, instruction);

  const labelled = lines.join('\n');
  const after = DockerfileParser.parse(labelled).getInstructions();
  const expected = before.flatMap((part) =>
    part.getKeyword() === 'FROM' ? [part.getTextContent(), instruction] : [part.getTextContent()],
  );
  const isAsExpected =
    after.length === expected.length && after.every((part, at) => part.getTextContent() === expected[at]);
  return isAsExpected && ends.length > 0 ? { text: labelled, instruction, count: ends.length } : null;
}

function labelInstruction(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => {
    if (!/^[\w.:-]*$/.test(value))
      throw new Error(`The value of the label ${key} is no plain word: ${value}`);
    return `${key}=${value}`;
  });
  return `LABEL ${pairs.join(' ')}`;
}
