// The sources as JavaScript, for tests that need processes of their own.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../../", import.meta.url))
let compiled: string | null = null

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

function compile(from: string, to: string): void {
  const { outputText } = ts.transpileModule(readFileSync(from, "utf8"), {
    compilerOptions: OPTIONS,
    fileName: from,
  })
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, outputText)
}

/**
 * Compiles `src/` and `test/programs/` once per test process, without checking types.
 *
 * @returns A directory with `src/` and `test/programs/`; it is removed when the process ends.
 */
export function compiledSources(): string {
  if (compiled !== null) return compiled
  const out = join(root, "node_modules", ".cache", `agentmesh-test-${process.pid}`)
  process.once("exit", () => rmSync(out, { recursive: true, force: true }))
  for (const [folder, target] of [
    ["src", "src"],
    ["test/programs", "test/programs"],
  ] as const) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    for (const file of files.filter((name) => name.endsWith(".ts"))) {
      compile(join(root, folder, file), join(out, target, file.replace(/\.ts$/, ".js")))
    }
  }
  const backend = process.env["AGENTMESH_BACKEND"] === "noble" ? "noble" : "node"
  const imports = { "#crypto": `./src/crypto/${backend}.js` }
  writeFileSync(join(out, "package.json"), JSON.stringify({ type: "module", imports }))
  compiled = out
  return out
}
