import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Bench, BenchResult } from './bench.ts';

const FILE = new URL('./RESULTS.md', import.meta.url);

/** One line about when, where and what: without them a figure says nothing. */
export function describeRun(dockerVersion: string): string {
  const [processor] = cpus();
  return [
    new Date().toISOString().slice(0, 16).replace('T', ' '),
    `commit ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'internal', 'cmd') === '' ? '' : ' with changes'}`,
    `${cpus().length} × ${processor?.model ?? 'unknown processor'}`,
    `${(totalmem() / 1e9).toFixed(0)} GB`,
    `Node ${process.version}`,
    `Docker ${dockerVersion}`,
  ].join(' · ');
}

export function asMarkdown(bench: Bench, result: BenchResult, run: string): string {
  const [head = [], ...rows] = result.table;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `## ${bench.title}`,
    run,
    [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'),
    ...result.notes,
    ...(result.goal
      ? [`Goal: ${result.goal.text}: **${result.goal.reached ? 'reached' : 'not reached'}**.`]
      : []),
  ].join('\n\n');
}

export function appendResult(text: string): void {
  appendFileSync(FILE, `\n${text}\n`);
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: new URL('..', import.meta.url) })
    .toString()
    .trim();
}
