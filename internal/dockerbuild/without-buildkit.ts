import type { ParsedInstruction } from './dockerfile-flags.ts';
import { readInstructions } from './dockerfile-rules.ts';

/** Of the machine that builds, which is the one that runs the image. */
export interface BuildPlatform {
  readonly os: string;
  readonly architecture: string;
}

/** What the classic builder is given in place of a Dockerfile that asks for BuildKit. */
export interface ClassicForm {
  readonly text: string;
  /** Values of the variables that BuildKit sets by itself, where the Dockerfile declares them. */
  readonly buildArguments: Readonly<Record<string, string>>;
}

const TRANSLATABLE = /^(?:COPY|ADD) --link$|^the variable /;
const LINK = /(\s)--link(?:=(?:true|false))?(?=\s)/i;
const VARIABLE = /\$(?:\{(\w+)\}|(\w+))/g;

/**
 * The same image by the classic builder, which keeps to the limits: `--link`, which only says how a layer is stored, is
 * left out, and variables of the platform get their values. Null where the Dockerfile needs more than that, or is written
 * so that it cannot be told.
 */
export function withoutBuildKit(
  text: string,
  needs: readonly string[],
  platform: BuildPlatform | null,
): ClassicForm | null {
  if (needs.length === 0) return { text, buildArguments: {} };
  const values = platform === null ? null : platformVariables(platform);
  if (values === null || !needs.every((need) => TRANSLATABLE.test(need))) return null;

  const before = readInstructions(text);
  const declared = before
    .filter(({ keyword }) => keyword === 'ARG')
    .flatMap(({ words }) => words)
    .map((word) => word.split('='))
    .filter(([name = '']) => Object.hasOwn(values, name));
  // A default of its own counts for less than what is given, and with BuildKit for more.
  if (declared.some((word) => word.length > 1)) return null;

  const lines = text.split('\n');
  for (const { keyword, flags, firstLine, lastLine } of before) {
    if (firstLine !== lastLine) {
      if (needsEdit({ keyword, flags }, lines.slice(firstLine, lastLine + 1).join('\n'))) return null;
    } else if (keyword === 'FROM') {
      const line = withValues(lines[firstLine] ?? '', values);
      if (line === null) return null;
      lines[firstLine] = line;
    } else if (flags.some(({ name }) => name === 'link')) {
      lines[firstLine] = (lines[firstLine] ?? '').replace(LINK, '');
    }
  }
  const translated = lines.join('\n');
  if (!isTranslation(before, readInstructions(translated))) return null;
  const names = declared.map(([name = '']) => name);
  return {
    text: translated,
    buildArguments: Object.fromEntries(names.map((name) => [name, values[name] ?? ''])),
  };
}

function platformVariables({ os, architecture }: BuildPlatform): Record<string, string> | null {
  // Others have variants, which have a say too.
  if (os !== 'linux' || !['amd64', 'arm64'].includes(architecture)) return null;
  const of = (kind: 'TARGET' | 'BUILD') => ({
    [`${kind}PLATFORM`]: `${os}/${architecture}`,
    [`${kind}OS`]: os,
    [`${kind}ARCH`]: architecture,
    [`${kind}VARIANT`]: '',
  });
  return { ...of('TARGET'), ...of('BUILD') };
}

/** Null where more than the plain variable is written. Empty ones could make the beginning of an id of what is left. */
function withValues(line: string, values: Readonly<Record<string, string>>): string | null {
  const replaced = line.replace(VARIABLE, (written, braced, bare) => {
    const value = values[String(braced ?? bare)];
    return value === undefined || value === '' ? written : value;
  });
  return /(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)/.test(replaced) ? null : replaced;
}

function needsEdit(
  { keyword, flags }: Pick<ParsedInstruction, 'keyword' | 'flags'>,
  source: string,
): boolean {
  return (
    flags.some(({ name }) => name === 'link') ||
    (keyword === 'FROM' && /(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)/.test(source))
  );
}

/** But for what was meant to change, it reads the same. */
function isTranslation(before: readonly ParsedInstruction[], after: readonly ParsedInstruction[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ keyword, flags, words }, at) => {
      const other = after[at];
      if (other?.keyword !== keyword || other.flags.some(({ name }) => name === 'link')) return false;
      if (keyword === 'FROM') return other.words.length === words.length;
      const kept = flags.filter(({ name }) => name !== 'link').map(({ raw }) => raw);
      return (
        other.flags.map(({ raw }) => raw).join(' ') === kept.join(' ') &&
        other.words.join(' ') === words.join(' ')
      );
    })
  );
}
