// init, id: creates or shows an identity.

import type { Command } from "commander"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, Failure } from "./failure.ts"
import type { IdentityJson } from "./operations.ts"

interface Flags extends Globals {
  readonly card?: boolean
  readonly qr?: boolean
  readonly default?: boolean
}

async function show(context: Context, identity: IdentityJson, flags: Flags): Promise<void> {
  const { output, name, home } = context
  const { address, card } = identity
  if (flags.card && card === null) {
    const advice = "it is made when the hub is reached; agentmesh hub starts one"
    throw new Failure(EXIT.failed, `${name} has no bundle yet`, advice)
  }
  const lines = [flags.card ? `${card}` : address]
  if (flags.qr) {
    const { renderUnicodeCompact } = await import("uqr")
    lines.push("", renderUnicodeCompact(address))
  }
  const object = { ...identity, store: home.store(name), hub: context.hub }
  output.result(object, lines.join("\n"))
}

/** Adds the commands. */
export function addIdentity(program: Command): void {
  program
    .command("init")
    .description("make an identity, or show it if there is one")
    .argument("[name]", "name of the agent: a-z and 0-9, after the first also . _ -")
    .option("--default", "use it where no --as is given; the first one that is made with init is")
    .option("--card", "print the card: the signed bundle as text, for use without a hub")
    .option("--qr", "print the address as a QR code too")
    .action(
      action<Flags>(async (given, [argument], flags) => {
        const context = given.named(argument)
        const { home, name, output } = context
        const known = home.has(name)
        const first = home.chosen === undefined
        if (context.namedHub !== undefined) home.setProfile(name, { hub: context.hub })
        const access = context.use({ create: true, offline: true })
        try {
          await show(context, await access.call("identity", {}), flags)
        } finally {
          await context.close()
        }
        if (first || flags.default) home.choose(name)
        if (known) output.note(`${name} was there already: ${home.agent(name)}`)
        else output.note("the first line is its address: give it to others, it names the key too")
      }),
    )
  program
    .command("id")
    .description("show an identity: its address, card or QR code")
    .argument("[name]", "name of the agent")
    .option("--default", "use it from now on where no --as is given")
    .option("--card", "print the card: the signed bundle as text, for use without a hub")
    .option("--qr", "print the address as a QR code too")
    .action(
      action<Flags>(async (given, [argument], flags) => {
        const context = given.named(argument)
        try {
          const access = context.use({ offline: true })
          await show(context, await access.call("identity", {}), flags)
        } finally {
          await context.close()
        }
        if (flags.default) context.home.choose(context.name)
      }),
    )
}
