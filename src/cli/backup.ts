// export, import: an identity in a file, sealed with a passphrase.

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import type { Command } from "commander"
import { MAX_STATE } from "../limits.ts"
import { Access } from "./access.ts"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, Failure, usage } from "./failure.ts"
import { readPassphrase } from "./passphrase.ts"

interface Flags extends Globals {
  readonly passphraseFile?: string
  readonly force?: boolean
}

function sourceOf({ env }: Context, { passphraseFile: file }: Flags, twice: boolean) {
  return { ...(file === undefined ? {} : { file }), env, twice }
}

async function exportTo(context: Context, path: string, flags: Flags): Promise<void> {
  if (existsSync(path) && !flags.force) {
    throw new Failure(EXIT.failed, `${path} exists`, "choose another file, or --force replaces it")
  }
  const access = context.use({ offline: true })
  const secret = await readPassphrase(sourceOf(context, flags, true))
  const work = () => access.call("export", { secret })
  const { backup } = await context.output.progress("sealing the export", work)
  const bytes = Buffer.from(backup, "base64")
  writeFileSync(path, bytes, { mode: 0o600 })
  context.output.result({ file: path, bytes: bytes.length }, `${path}: ${context.name}, sealed`)
  context.output.note(
    "it holds the identity and what is known of peers; no messages, and it opens no old traffic",
  )
}

async function importFrom(context: Context, path: string, flags: Flags): Promise<void> {
  const { home, name, output, hub, tls, command } = context
  if (home.has(name)) {
    const advice = `import it as what it is, or move ${home.agent(name)} away first`
    throw new Failure(EXIT.failed, `the identity ${name} is here already`, advice)
  }
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? -1
  if (size < 0) throw usage(`there is no file ${path}`)
  if (size > MAX_STATE) throw usage(`${path} is larger than any export`)
  const backup = new Uint8Array(readFileSync(path))
  const secret = await readPassphrase(sourceOf(context, flags, false))
  // With its hub, so that the hub's key that the export remembers is pinned for it.
  const restore = { backup, secret }
  const access = new Access({ ...{ home, name, hub, tls, command, restore } })
  try {
    const { address } = await output.progress("opening the export", () =>
      access.call("identity", {}),
    )
    output.result({ name, address, store: home.store(name) }, address)
  } catch (error) {
    home.discard(name)
    throw error
  } finally {
    await access.close()
  }
  if (context.namedHub !== undefined) home.setProfile(name, { hub })
  output.note("stop the identity where it came from: two copies of one identity disturb each other")
}

/** Adds the commands. */
export function addBackup(program: Command): void {
  const file = "read the passphrase from this file, - for standard input"
  program
    .command("export")
    .description("write the identity to a file, sealed with a passphrase that is asked for")
    .argument("<file>", "file to write")
    .option("--passphrase-file <file>", file)
    .option("--force", "replace the file")
    .action(action<Flags>((context, [path = ""], flags) => exportTo(context, path, flags)))
  program
    .command("import")
    .description("restore an identity from an export; name it with --as")
    .argument("<file>", "file to read")
    .option("--passphrase-file <file>", file)
    .action(action<Flags>((context, [path = ""], flags) => importFrom(context, path, flags)))
}
