// The project as plain text: a map from path to text, and how to read TypeScript without a parser.

import { readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"

/** Path (with `/`, from the root of the project) to text. */
export type Tree = ReadonlyMap<string, string>

/** The section words; their numbers in SPEC.md are 3 to 12. */
export const WORDS = [
  "encoding",
  "suite",
  "identity",
  "bundle",
  "keyschedule",
  "handshake",
  "envelope",
  "session",
  "hub",
  "agent",
] as const

const FOLDERS = ["src", "conformance", "vectors", "examples", "test"]
const SKIPPED = /(^|\/)(node_modules|__pycache__|python)(\/|$)/

/** Reads what the checks look at. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>()
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = `${path}/${entry.name}`
      if (SKIPPED.test(child)) continue
      if (entry.isDirectory()) visit(child)
      else if (/\.(ts|json|md)$/.test(child))
        tree.set(child, readFileSync(join(root, child), "utf8"))
    }
  }
  const present = readdirSync(root)
  for (const folder of FOLDERS) if (present.includes(folder)) visit(folder)
  tree.set("SPEC.md", readFileSync(join(root, "SPEC.md"), "utf8"))
  return tree
}

/** A copy of the tree with one file changed, added or (text null) removed. */
export function altered(tree: Tree, path: string, text: string | null): Tree {
  const copy = new Map(tree)
  if (text === null) copy.delete(path)
  else copy.set(path, text)
  return copy
}

/** A copy in which `from` is replaced in one file; fails if it is not there. */
export function replaced(tree: Tree, path: string, from: string | RegExp, to: string): Tree {
  const text = tree.get(path)
  const changed = text?.replace(from, () => to)
  if (text === undefined || changed === text) throw new Error(`${path} does not hold ${from}`)
  return altered(tree, path, changed ?? null)
}

/** The files whose path matches. */
export function files(tree: Tree, pattern: RegExp): readonly (readonly [string, string])[] {
  return [...tree].filter(([path]) => pattern.test(path))
}

/** TypeScript without its comments and, if asked, with empty string literals. */
export function code(text: string, keepStrings: boolean = true): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g
  return text.replace(token, (match) => {
    if (match.startsWith("/")) return match.replace(/[^\n]/g, " ")
    return keepStrings ? match : match.charAt(0) + match.charAt(0)
  })
}

/** One import or re-export. */
export interface Import {
  /** As written. */
  readonly from: string
  /** The path in the tree for a relative import, otherwise undefined. */
  readonly path: string | undefined
  readonly typeOnly: boolean
}

/** All imports of a file, dynamic ones included. */
export function importsOf(path: string, text: string): readonly Import[] {
  const source = code(text)
  const statement =
    /^[ \t]*(?:import|export)\b(\s+type\b)?(?:[^"';=]*?\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm
  return [...source.matchAll(statement)].map((match) => {
    const from = (match[2] ?? match[3]) as string
    const relative = from.startsWith(".")
    return {
      from,
      path: relative ? posix.normalize(posix.join(posix.dirname(path), from)) : undefined,
      typeOnly: match[1] !== undefined,
    }
  })
}

/** The text of a section of SPEC.md: from its heading to the next one of the same level. */
export function section(spec: string, heading: string): string {
  const lines = spec.split("\n")
  const at = lines.findIndex((line) => line === heading || line.startsWith(`${heading}.`))
  if (at < 0) return ""
  const level = heading.match(/^#+/)?.[0] as string
  const next = lines.findIndex(
    (line, i) => i > at && new RegExp(`^#{1,${level.length}} `).test(line),
  )
  return lines.slice(at, next < 0 ? undefined : next).join("\n")
}

/** The rows of the first table in a text, header and rule left out. */
export function table(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n")
  const at = lines.findIndex((line) => line.startsWith("|"))
  if (at < 0) return []
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"))
  return lines.slice(at + 2, end < 0 ? undefined : end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** Fenced blocks of a language, without the fences. */
export function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    (match) => match[1] as string,
  )
}
