// init: a driver to begin with, copied from the templates.

import { existsSync, writeFileSync } from "node:fs"
import { out, packageFile, UsageError } from "./context.ts"

const TEMPLATES = {
  node: { file: "driver.mjs", run: "node", needs: "npm install @noble/curves" },
  python: { file: "driver.py", run: "python3", needs: "pip install cryptography cbor2" },
} as const

/** Languages that have a template. */
export const LANGUAGES: readonly string[] = Object.keys(TEMPLATES)

/** Copies a template; never over a file that exists. */
export function init(language: string, target?: string): number {
  if (!Object.hasOwn(TEMPLATES, language)) {
    throw new UsageError(`no template for ${language}; there are ${LANGUAGES.join(", ")}`)
  }
  const { file, run, needs } = TEMPLATES[language as keyof typeof TEMPLATES]
  const path = target ?? file
  if (existsSync(path)) throw new UsageError(`${path} exists`)
  try {
    writeFileSync(path, packageFile(`conformance/templates/${file}`), { flag: "wx" })
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as Error).message}`)
  }
  const driver = `--driver "${run} ${path}"`
  out(`${path} is a driver that works. It needs: ${needs}`)
  out(`  agentmesh-conformance doctor ${driver}   checks it, and says what to add next`)
  out(`  agentmesh-conformance run ${driver}      gives a verdict`)
  return 0
}
