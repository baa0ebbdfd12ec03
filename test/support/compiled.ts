// The sources as JavaScript, for tests that need processes of their own.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../../", import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
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
  for (const folder of ["src", "test/programs"]) compileFolder(folder, out)
  const backend = process.env["AGENTMESH_BACKEND"] === "noble" ? "noble" : "node"
  const imports = { "#crypto": `./src/crypto/${backend}.js` }
  const exports = { "./package.json": "./package.json" }
  const description = { name: "agentmesh", type: "module", version, imports, exports }
  writeFileSync(join(out, "package.json"), JSON.stringify(description))
  compiled = out
  return out
}

/** The conformance suite beside the compiled sources, with what it reads: a package of its own. */
export function compiledConformance(): string {
  const out = compiledSources()
  if (existsSync(join(out, "conformance"))) return out
  compileFolder("conformance", out)
  for (const folder of ["templates", "schema", "report"]) {
    cpSync(join(root, "conformance", folder), join(out, "conformance", folder), {
      recursive: true,
      filter: (path) => !path.endsWith(".ts"),
    })
  }
  for (const name of ["vectors", "SPEC.md"]) symlinkSync(join(root, name), join(out, name))
  return out
}

function compileFolder(folder: string, out: string): void {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    compile(join(root, folder, file), join(out, folder, file.replace(/\.ts$/, ".js")))
  }
}
