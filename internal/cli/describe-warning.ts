import { PLATFORM_WARNINGS } from '../errors/platform-warnings.ts';

const SENTENCES: Readonly<Record<string, string>> = PLATFORM_WARNINGS;

/** What a platform warns of and what to do. A newer API may know codes that this program does not. */
export function describeWarning(code: string): string {
  const sentence = SENTENCES[code];
  return sentence === undefined ? code : `${sentence} (${code})`;
}
