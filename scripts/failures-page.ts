import { FAILURES } from '../internal/errors/deployment-failed.ts';

/** docs/failures.md: every code a deployment may fail with, whose cause it is and what to do. */
export function failuresPage(): string {
  const rows = Object.entries(FAILURES).map(
    ([code, { cause, advice }]) =>
      `| \`${code}\` | ${cause === 'user' ? 'the repository or its settings' : 'the platform'} | ${cause === 'user' ? 'no' : 'yes'} | ${advice.replaceAll('|', '\\|')} |`,
  );
  return [
    '# Why a deployment fails',
    '',
    'A deployment that ends `failed` has one of these codes in `failure_code`, a sentence with the facts in',
    '`failure_reason`, and the last lines of its container in `log_tail`. What the platform caused is tried again, up to',
    'three attempts in all; what the repository caused is not. The release that was live goes on in every case.',
    '',
    'Made by `npm run docs:failures` from `internal/errors/deployment-failed.ts`.',
    '',
    '| code | cause | tried again | what to do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
