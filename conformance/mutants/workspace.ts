// Copies of the reference in a temporary folder, each with one fault in it.

import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { packageFolder } from "../driver.ts"
import type { Mutant } from "./mutant.ts"

/** What is copied: the reference, and the driver over it. */
const PARTS = ["src", "conformance/peers/reference", "conformance/vectorgen"] as const
const FILES = [
  ...["conformance/peers/reference.ts", "conformance/driver.ts", "conformance/values.ts"],
  ...["conformance/judge.ts", "conformance/verdict.ts", "conformance/cbor.ts"],
] as const

type Transpile = (source: string, name: string) => string

async function loadTypeScript(): Promise<Transpile> {
  const { default: ts } = await import("typescript")
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  }
  return (source, fileName) => ts.transpileModule(source, { compilerOptions, fileName }).outputText
}

/** A folder of copies; nothing in it outlives {@link Workspace.close}. */
export class Workspace {
  readonly #root: string
  readonly #transpile: Transpile
  readonly #names: readonly string[]
  #count = 0

  private constructor(root: string, transpile: Transpile, names: readonly string[]) {
    this.#root = root
    this.#transpile = transpile
    this.#names = names
  }

  /**
   * Compiles the reference once, file by file.
   *
   * @throws Error if the sources or the compiler are not there: mutants need a checkout.
   */
  static async open(): Promise<Workspace> {
    const root = mkdtempSync(join(tmpdir(), "agentmesh-mutants-"))
    const transpile = await loadTypeScript()
    const names = [...PARTS.flatMap(sources), ...FILES.filter((name) => existsSync(source(name)))]
    for (const name of names) {
      const code = transpile(readFileSync(source(name), "utf8"), name)
      write(join(root, "base", compiled(name)), code)
    }
    cpSync(join(packageFolder(), "package.json"), join(root, "base", "package.json"))
    return new Workspace(root, transpile, names)
  }

  /** A copy without a fault. */
  get clean(): string {
    return this.#copy()
  }

  /** A copy with the fault; or why there can be none. */
  mutate(mutant: Mutant): { readonly folder: string } | { readonly problem: string } {
    const before = source(mutant.file)
    if (!existsSync(before)) return { problem: `no file ${mutant.file}` }
    const parts = readFileSync(before, "utf8").split(mutant.find)
    if (parts.length !== 2) {
      return { problem: `its text occurs ${parts.length - 1} times in ${mutant.file}` }
    }
    const folder = this.#copy(mutant.file)
    const code = this.#transpile(parts.join(mutant.replace), mutant.file)
    write(join(folder, compiled(mutant.file)), code)
    return { folder }
  }

  #copy(without?: string): string {
    const folder = join(this.#root, String(++this.#count))
    for (const name of [...this.#names.map(compiled), "package.json"]) {
      if (without !== undefined && name === compiled(without)) continue
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      linkSync(join(this.#root, "base", name), join(folder, name))
    }
    symlinkSync(join(packageFolder(), "node_modules"), join(folder, "node_modules"))
    return folder
  }

  /** Removes a copy. */
  remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true })
  }

  /** Removes everything. */
  close(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

const source = (name: string): string => join(packageFolder(), name)
const compiled = (name: string): string => join("dist", name.replace(/\.ts$/, ".js"))

function sources(folder: string): readonly string[] {
  return readdirSync(source(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(packageFolder().length + 1))
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
