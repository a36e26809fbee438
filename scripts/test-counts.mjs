/**
 * Prints `N passed, N failed` (and `, N skipped` if any were) from the report of vitest's JSON reporter.
 *
 * Usage: node scripts/test-counts.mjs REPORT.json
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

/**
 * The parts of the report that are read.
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests Skipped ones.
 * @property {number} numTodoTests
 * @property {readonly { status: string, assertionResults: readonly { status: string }[] }[]} testResults One per file.
 */

/** @param {Report} report */
function countsOf(report) {
  // A file that could not be loaded holds no test that could fail; it counts as one.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * A run that left no report behind is one failure.
 * @param {string | undefined} file
 * @returns {Report}
 */
function readReport(file) {
  try {
    /** @type {unknown} */
    const report = JSON.parse(readFileSync(file ?? '', 'utf8'));
    return /** @type {Report} */ (report);
  } catch {
    process.stderr.write(`test-counts: there is no readable report at ${file ?? '(no file named)'}\n`);
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  }
}

const { passed, failed, skipped } = countsOf(readReport(process.argv[2]));
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
