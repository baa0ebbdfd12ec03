import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const include = ["test/**/*.test.ts"]

// Simulations whose result cannot depend on the backend and that would double a long run; each
// line states why. Everything else runs on both backends.
const notOnPortable: readonly string[] = [
  // Thousands of envelopes over a bad network, in virtual time: only delivery decides the result.
  "test/simulation*.test.ts",
  // A store that dies at every write: only the order of commits decides the result.
  "test/crash.test.ts",
  // Twenty thousand signatures before the first question: memory per connection decides the result.
  "test/hub-idle.test.ts",
  // Hub processes on a shared store: who owns what and what is stored decides the result.
  "test/cluster*.test.ts",
  // Commands as processes: what they print and how they exit does not depend on the backend.
  "test/cli*.test.ts",
  "test/mcp.test.ts",
  "test/skill.test.ts",
  // The suite's own machinery, and programs under it as processes: the suite runs on the portable
  // backend in steps of its own (conformance, selftest).
  "test/conformance-{cli,driver,evil,hub,mutants,page}.test.ts",
  // Shrinking is bounded in time, and slow arithmetic ends it elsewhere: two runs then differ.
  "test/conformance-properties.test.ts",
  // A browser has the portable backend in any case, and the benchmark runs both by itself.
  "test/{bench,browser}.test.ts",
]

// The two projects differ only in the backend behind `#crypto`: every test runs on both.
function project(name: string, backend: string, exclude: readonly string[] = []) {
  const path = fileURLToPath(new URL(`src/crypto/${backend}.ts`, import.meta.url))
  return {
    resolve: { alias: [{ find: /^#crypto$/, replacement: path }] },
    test: {
      name,
      include,
      exclude: ["node_modules/**", "dist/**", ...exclude],
      env: { AGENTMESH_BACKEND: backend },
      testTimeout: 60_000,
      hookTimeout: 30_000,
      // Tests with real sockets and processes share two cores with everything else in CI. A test
      // that fails twice in a row fails; one that needs its second try is shown as such.
      retry: process.env["CI"] ? 1 : 0,
    },
  }
}

export default defineConfig({
  test: {
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [project("node", "node"), project("portable", "noble", notOnPortable)],
  },
})
