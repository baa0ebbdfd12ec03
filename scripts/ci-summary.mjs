// Sums up a run of .ci/run: node scripts/ci-summary.mjs FOLDER STEP...
//
// Counts the tests of every vitest report in FOLDER and each step; a step without a result, a
// report without a test and a test file that failed to import are failures. The last line is
// "N passed, N failed", alone.

import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const [folder = ".ci/out", ...planned] = process.argv.slice(2)
let passed = 0
let failed = 0

function fail(what) {
  failed++
  console.log(`failed: ${what}`)
}

const stepsFile = join(folder, "steps.txt")
const lines = existsSync(stepsFile) ? readFileSync(stepsFile, "utf8").trim().split("\n") : []
const steps = new Map(
  lines
    .filter(Boolean)
    .map((line) => line.split(" "))
    .map(([n, s]) => [n, s]),
)
for (const name of planned) {
  const status = steps.get(name)
  if (status === "0") passed++
  else fail(status === undefined ? `step ${name} did not run` : `step ${name}, exit ${status}`)
}
if (steps.get("tests") === "0" && !existsSync(join(folder, "tests.vitest.json"))) {
  fail("the tests left no report")
}

for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".vitest.json"))
  .sort()) {
  const report = JSON.parse(readFileSync(join(folder, file), "utf8"))
  passed += report.numPassedTests
  if (report.numTotalTests === 0) fail(`${file}: no test ran`)
  let silent = 0
  for (const result of report.testResults) {
    const bad = result.assertionResults.filter((test) => test.status === "failed")
    for (const test of bad) fail(`${result.name.split("/").pop()}: ${test.fullName}`)
    if (result.status === "failed" && bad.length === 0) {
      silent++
      fail(`${result.name.split("/").pop()}: ${String(result.message).split("\n")[0]}`)
    }
  }
  if (!report.success && report.numFailedTests === 0 && silent === 0) fail(`${file}: no success`)
  const { numPassedTests, numFailedTests, numPendingTests } = report
  console.log(
    `${file}: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`,
  )
}
if (passed + failed === 0) fail("nothing was executed")
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
