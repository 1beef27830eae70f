import { appendFileSync } from 'node:fs';

/**
 * How many tests passed and failed, in a form other programs read. bin/test runs jest several times: it names a file
 * in BERTH_TEST_COUNTS, gets a line of JSON per run, and prints the sum itself.
 */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    // A file that could not be loaded has no tests that failed, and must not look like success.
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    const file = process.env.BERTH_TEST_COUNTS;
    if (file) appendFileSync(file, `${JSON.stringify(counts)}\n`);
    else process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
  }
}
