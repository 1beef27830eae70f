/**
 * Usage: npm run docs:faults
 * Writes docs/faults.md from test/faults.ts and the results of the last bin/test (.test-results.jsonl).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultsPage, type TestResult } from './faults-page.ts';

const root = join(import.meta.dirname, '..');

const results = readFileSync(join(root, '.test-results.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line): TestResult => JSON.parse(line));
writeFileSync(join(root, 'docs/faults.md'), faultsPage(results, new Date().toISOString().slice(0, 10)));
console.log('docs/faults.md written.');
