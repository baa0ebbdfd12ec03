// What an application pays before the first message: the import, and the bundle of a browser.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import type { Group } from "./group.ts"
import { Sheet } from "./sheet.ts"

const index = fileURLToPath(new URL("../src/index.js", import.meta.url))

/** Milliseconds of an import in a fresh process, without the start of Node itself. */
function importTime(file: string): number {
  const code = `const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t)`
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", code, file])
  return Number(run.stdout.toString())
}

async function bundleSize(): Promise<{ minified: number; gzip: number }> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { Agent, LocalHub } from ${JSON.stringify(index)}`,
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
    },
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", platform: "browser" },
    ...{ write: false, logLevel: "error" },
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error("esbuild wrote nothing")
  return { minified: file.contents.length, gzip: gzipSync(file.contents, { level: 9 }).length }
}

/** The group. */
export const library: Group = {
  name: "library",
  what: "import time and size for browsers",
  portable: true,
  async run(pace) {
    const sheet = new Sheet()
    for (let round = 0; round < pace.rounds; round++) {
      sheet.note("library/import", "import of the library, wall time", "ms", importTime(index))
    }
    const { minified, gzip } = await bundleSize()
    sheet.note("library/bundle", "Agent and LocalHub for browsers, minified", "kB", minified / 1000)
    sheet.note("library/gzip", "the same, gzip", "kB", gzip / 1000)
    return sheet.figures
  },
}
