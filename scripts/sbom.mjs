// A bill of materials of what an installation brings: node scripts/sbom.mjs > sbom.json
//
// CycloneDX, by npm. It is made from a copy of package.json and package-lock.json without what is
// for development: `npm sbom --omit dev` drops packages too that something for development shares.

import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"))
const lock = read("package-lock.json")
const production = ({ devDependencies, peerDependencies, peerDependenciesMeta, ...rest }) => rest

const packages = Object.entries(lock.packages)
  .filter(([, { dev }]) => !dev)
  .map(([path, entry]) => [path, path === "" ? production(entry) : entry])

const base = mkdtempSync(join(tmpdir(), "agentmesh-sbom-"))
try {
  const folder = join(base, lock.name) // npm takes the name of the component from the folder
  mkdirSync(folder)
  const write = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value))
  write("package.json", production(read("package.json")))
  write("package-lock.json", { ...lock, packages: Object.fromEntries(packages) })
  const form = ["--sbom-format=cyclonedx", "--sbom-type=library", "--package-lock-only"]
  process.stdout.write(execFileSync("npm", ["sbom", ...form], { cwd: folder }))
} finally {
  rmSync(base, { recursive: true, force: true })
}
