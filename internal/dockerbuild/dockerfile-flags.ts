import { DeploymentFailed } from '../errors/deployment-failed.ts';

/** An instruction as its keyword, its `--flags` and the rest, with line continuations already joined. */
export interface ParsedInstruction {
  readonly keyword: string;
  readonly flags: readonly { readonly name: string; readonly value: string; readonly raw: string }[];
  readonly words: readonly string[];
}

/**
 * Splits off the flags. Docker's own reader knows quotes and escapes inside flags; ours takes the quotes away where they
 * come in pairs within one word, and refuses the rest, so that nothing hides in them.
 */
export function parseInstruction(line: string): ParsedInstruction {
  const [keyword = '', ...words] = line.split(/\s+/).filter((word) => word !== '');
  const end = words.findIndex((word) => !word.startsWith('--') || word === '--');
  const flagWords = end === -1 ? words : words.slice(0, end);
  return {
    keyword: keyword.toUpperCase(),
    flags: flagWords.map((raw) => {
      const unpaired = (raw.match(/"/g) ?? []).length % 2 === 1 || (raw.match(/'/g) ?? []).length % 2 === 1;
      if (unpaired || raw.includes('\\')) {
        throw new DeploymentFailed(
          'dockerfile_invalid',
          `Write this flag of ${keyword} without spaces or backslashes: ${raw.slice(0, 100)}`,
        );
      }
      const [name = '', ...value] = unquote(raw).slice(2).split('=');
      return { name: name.toLowerCase(), value: value.join('='), raw };
    }),
    words: end === -1 ? [] : words.slice(end),
  };
}

/**
 * The first logical line of an instruction's source: continuations joined without a space, as Docker joins them, comment
 * lines within left out. What follows it is the body of a here-document.
 */
export function logicalLine(source: string, escapeCharacter: string): string {
  let joined = '';
  for (const [index, line] of source.split(/\r?\n/).entries()) {
    if (index > 0 && /^\s*(?:#|$)/.test(line)) continue;
    const trimmed = line.trimEnd();
    if (!trimmed.endsWith(escapeCharacter)) return joined + line;
    joined += trimmed.slice(0, -1);
  }
  return joined;
}

/** The text with quotes gone. */
export function unquote(text: string): string {
  return text.replace(/["']/g, '');
}

/** The options of a `--mount` flag; keys are case-insensitive. */
export function mountOptions(value: string): Map<string, string> {
  return new Map(
    value.split(',').map((option) => {
      const [key = '', ...rest] = option.split('=');
      return [key.trim().toLowerCase(), rest.join('=').trim()];
    }),
  );
}

/** Where a mount of `RUN --mount` appears. */
export function mountTarget(options: ReadonlyMap<string, string>): string {
  return options.get('target') ?? options.get('dst') ?? options.get('destination') ?? '';
}
