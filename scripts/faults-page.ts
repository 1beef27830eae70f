import { FAULTS, type Fault } from '../test/faults.ts';

/** One test of the last run whose name begins with ids. */
export interface TestResult {
  readonly name: string;
  /** Of the checkout. */
  readonly file: string;
  readonly status: 'passed' | 'failed' | 'skipped';
}

/** docs/faults.md: what may go wrong, what comes of it, and the tests that showed it on that day. */
export function faultsPage(results: readonly TestResult[], day: string): string {
  return [
    '# Faults',
    '',
    `What may go wrong, what must come of it, and the tests that show it. Made by \`npm run docs:faults\` from the run of ${day}.`,
    '',
    ...FAULTS.flatMap((fault) => section(fault, results)),
  ].join('\n');
}

function section(fault: Fault, results: readonly TestResult[]): string[] {
  const tests = results.filter(({ name }) => idsOf(name).includes(fault.id));
  const lines = tests.map(({ name, file, status }) => `- ${status}: ${withoutIds(name)} (\`${file}\`)`);
  const none = fault.untested ? `- no test: ${fault.untested}` : '- no test carries this id';
  return [
    `## ${fault.id}: ${fault.what}`,
    '',
    `Expected: ${fault.outcome}.`,
    '',
    ...(lines.length > 0 ? [...new Set(lines)].sort() : [none]),
    '',
  ];
}

/** `F01 F09: a sentence`, with the names of the groups around it before. */
export function idsOf(name: string): string[] {
  return [...name.matchAll(/\b[AFIT]\d{1,2}\b/g)].map(([id]) => id);
}

function withoutIds(name: string): string {
  return name
    .replace(/\b(?:[AFIT]\d{1,2}(?:, | and | |: )*)+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
