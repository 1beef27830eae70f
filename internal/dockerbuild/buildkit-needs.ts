import type { ParsedInstruction } from './dockerfile-flags.ts';

/** Flags that the classic builder knows too. */
const CLASSIC_FLAGS: Readonly<Record<string, readonly string[]>> = {
  FROM: ['platform'],
  COPY: ['from', 'chown'],
  ADD: ['chown'],
  RUN: [],
};

/**
 * What in a Dockerfile only BuildKit can build, in words for the log. An official `# syntax` line alone is no need: what
 * it unlocks shows in the instructions, and the classic builder keeps to memory limits where BuildKit does not.
 */
export function buildKitNeeds(instructions: readonly ParsedInstruction[], text: string): string[] {
  const needs = new Set<string>();
  for (const { keyword, flags, words } of instructions) {
    for (const { name } of flags) {
      if (CLASSIC_FLAGS[keyword]?.includes(name) === false) needs.add(`${keyword} --${name}`);
    }
    // `<<EOF` and `<<-"EOF"`, but not the shell's `<<<` and not a shift by a number.
    if (
      ['RUN', 'COPY', 'ADD'].includes(keyword) &&
      words.some((word) => /^\d*<<-?["']?[A-Za-z_]/.test(word))
    ) {
      needs.add('a here-document');
    }
  }
  const variable = /\b(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)\b/.exec(text)?.[0];
  if (variable !== undefined) needs.add(`the variable ${variable}`);
  return [...needs];
}
