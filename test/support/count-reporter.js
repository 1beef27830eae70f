import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * How many tests passed and failed, in a form other programs read. bin/test runs jest several times: it names a file
 * in BERTH_TEST_COUNTS, gets a line of JSON per run, and prints the sum itself. In the one in BERTH_TEST_RESULTS it keeps
 * what came of each test that proves something with an id (A1, F01, T01), for docs/faults.md.
 */
export default class CountReporter {
  onTestResult(_test, { testFilePath, testResults }) {
    const results = process.env.BERTH_TEST_RESULTS;
    if (!results) return;
    const file = relative(process.cwd(), testFilePath);
    for (const { fullName, status } of testResults) {
      if (!/\b[AFIT]\d{1,2}\b/.test(fullName)) continue;
      const result = { name: fullName, file, status: status === 'pending' ? 'skipped' : status };
      appendFileSync(results, `${JSON.stringify(result)}\n`);
    }
  }

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
