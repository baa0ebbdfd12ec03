// peers, verify, trust: who others are, and who may write.

import { type Command, Option } from "commander"
import { AgentStore } from "../agent/store.ts"
import { parseAddress } from "../identity.ts"
import { FileDatabase } from "../node/database.ts"
import { NetworkHub } from "../node/network-hub.ts"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, Failure, usage } from "./failure.ts"
import type { PeerJson } from "./operations.ts"
import type { Profile } from "./paths.ts"

interface Flags extends Globals {
  readonly all?: boolean
  readonly replace?: boolean
  readonly forget?: boolean
  readonly policy?: NonNullable<Profile["policy"]>
  readonly forgetHub?: boolean
}

const POLICIES = ["first-use", "pinned", "verified"]

function line(peer: PeerJson, context: Context): string {
  const colour = peer.trust === "verified" ? "green" : "yellow"
  return `${peer.address}  ${context.output.style(colour, peer.trust)}`
}

async function listPeers(context: Context, all: boolean): Promise<void> {
  const { output } = context
  const access = context.use()
  const peers = await access.call("peers", {})
  for (const peer of peers) output.result(peer, line(peer, context))
  if (all) {
    const names = await output.progress(`asking ${context.hub}`, () => access.call("names", {}))
    for (const name of names.filter((one) => !peers.some((peer) => peer.name === one))) {
      output.result({ name, trust: "unknown" }, `${name}  unknown`)
    }
  }
  if (peers.length === 0 && !all) {
    output.note("no peers yet; agentmesh peers --all lists the names at the hub")
  }
}

async function verify(context: Context, address: string): Promise<void> {
  const { name, fingerprint } = parseAddress(address)
  if (fingerprint === null) {
    const advice = `get it from ${name} by other means: it is what agentmesh id prints there`
    throw usage("verify needs the fingerprint: NAME#FINGERPRINT", advice)
  }
  const access = context.use({ create: true })
  const peer = await context.output.progress(`looking up ${name}`, () =>
    access.call("verify", { address }),
  )
  context.output.result(peer, line(peer, context))
}

/** Accepts the key that an address names in the place of the one that was pinned. */
async function replace(context: Context, address: string): Promise<void> {
  const { name, fingerprint } = parseAddress(address)
  if (fingerprint === null) throw usage("--replace needs the new fingerprint: NAME#FINGERPRINT")
  const access = context.use()
  const before = await access.call("peer", { name })
  if (before && before.fingerprint !== fingerprint) await access.call("forget", { name })
  const peer = await access.call("verify", { address })
  context.output.result(peer, line(peer, context))
}

async function forget(context: Context, name: string): Promise<void> {
  const access = context.use()
  if ((await access.call("peer", { name })) === null) {
    throw new Failure(EXIT.failed, `${name} is not known`, "agentmesh peers lists who is")
  }
  await access.call("forget", { name })
  context.output.result({ forgotten: name }, `forgot who ${name} was; the next key seen is pinned`)
}

/** Forgets the pinned key of the hub; the next one seen is pinned. */
async function forgetHub(context: Context): Promise<void> {
  const { home, name, output } = context
  if (!home.has(name)) context.use()
  const { address } = new NetworkHub(context.hub)
  const store = await AgentStore.open(new FileDatabase(home.store(name)))
  try {
    store.delete("hub", address)
    await store.commit()
  } finally {
    await store.close()
  }
  output.result({ forgotten: address }, `forgot the key of the hub at ${address}`)
}

async function showPolicy(context: Context, policy: Flags["policy"]): Promise<void> {
  const { home, name, output } = context
  if (!home.has(name)) context.use()
  if (policy !== undefined) {
    home.setProfile(name, { policy })
    output.note("a process that has the identity open keeps its policy until it is started again")
  }
  const now = home.profile(name).policy ?? "first-use"
  const meaning = {
    "first-use": "the first key seen under a name is pinned; no other one is accepted after it",
    pinned: "only peers that are known already",
    verified: "only peers whose fingerprint was compared",
  }[now]
  output.result({ policy: now }, `policy ${now}: ${meaning}`)
}

/** Adds the commands. */
export function addPeers(program: Command): void {
  program
    .command("peers")
    .description("list the peers that are known, with fingerprint and trust")
    .option("--all", "also the other names at the hub")
    .action(action<Flags>((context, _args, { all = false }) => listPeers(context, all)))
  program
    .command("verify")
    .description("mark a peer as verified: its fingerprint was compared by other means")
    .argument("<address>", "name#fingerprint")
    .action(action<Flags>((context, [address = ""]) => verify(context, address)))
  program
    .command("trust")
    .description("show or change whom this identity trusts")
    .argument("[peer]", "name: shows what is known of it; name#fingerprint with --replace")
    .option("--replace", "accept the key of this address in the place of the pinned one")
    .option("--forget", "forget who the name was, with everything that waits for it")
    .addOption(
      new Option("--policy <policy>", "from whom to take, to whom to send").choices(POLICIES),
    )
    .option("--forget-hub", "forget the pinned key of the hub")
    .action(
      action<Flags>(async (context, [peer], flags) => {
        if (flags.forgetHub) return forgetHub(context)
        if (peer === undefined) {
          if (flags.replace || flags.forget) throw usage("name the peer")
          return showPolicy(context, flags.policy)
        }
        if (flags.policy) throw usage("--policy is for all peers: leave out the name")
        if (flags.replace) return replace(context, peer)
        const { name } = parseAddress(peer)
        if (flags.forget) return forget(context, name)
        const known = await context.use().call("peer", { name })
        if (known === null) {
          const advice = `agentmesh verify ${name}#FINGERPRINT, or send to it`
          throw new Failure(EXIT.failed, `${name} is not known yet`, advice)
        }
        const lines = [line(known, context), "", "compare these lines; both sides see the same:"]
        context.output.result(known, [...lines, known.safetyNumber].join("\n"))
      }),
    )
}
