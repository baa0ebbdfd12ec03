// demo: two agents and a hub in this process; it shows what is promised, and checks it.

import type { Command } from "commander"
import { Agent } from "../agent/agent.ts"
import { LocalHub } from "../hub/local-hub.ts"
import { action, type Context, type Globals } from "./context.ts"
import { EXIT, failureOf } from "./failure.ts"

const NOBODY = `${"0000:".repeat(7)}0000`

class Show {
  readonly #context: Context
  #failed = 0

  constructor(context: Context) {
    this.#context = context
  }

  get exit(): number {
    return this.#failed === 0 ? EXIT.ok : EXIT.failed
  }

  say(text: string): void {
    this.#context.output.line(text)
  }

  check(ok: boolean, what: string): void {
    const { output } = this.#context
    if (!ok) this.#failed++
    const mark = ok ? output.style("green", "ok  ") : output.style("red", "FAIL")
    output.result({ ok, what }, `  ${mark}  ${what}`)
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: unknown) => failureOf(error).code ?? "another error",
  )
}

async function play(show: Show): Promise<void> {
  const hub = new LocalHub()
  const alice = new Agent("alice", { hub })
  const bob = new Agent("bob", { hub })
  try {
    bob.onMessage((message) => message.reply(`you said: ${message.text}`))
    await Promise.all([alice.ready, bob.ready])
    show.say(`alice is ${alice.address}`)
    show.say(`bob   is ${bob.address}`)

    const secret = "meet me at noon"
    const answer = await alice.request("bob", secret)
    show.check(
      answer.text === `you said: ${secret}`,
      "alice asks, bob answers, end to end encrypted",
    )
    const [session] = alice.status().sessions
    const quantum = session?.suite === 2
    show.check(
      quantum,
      "the session uses X25519 and ML-KEM-768: also against later quantum computers",
    )

    const envelope = await alice.seal("bob", secret)
    const seen = new TextDecoder("latin1").decode(envelope)
    show.check(!seen.includes(secret), `the hub sees ${envelope.length} bytes, not what they say`)
    const tampered = envelope.slice()
    tampered[tampered.length - 1] = (tampered.at(-1) as number) ^ 1
    const refused = await codeOf(bob.open(tampered))
    show.check(refused === "envelope/open", `one bit changed on the way: ${refused}`)
    const [message] = await bob.open(envelope)
    show.check(message?.text === secret, "the genuine one still opens")
    const replayed = await codeOf(bob.open(envelope))
    show.check(replayed === "session/replay", `the same once more: ${replayed}`)

    const wrong = await codeOf(alice.send(`bob#${NOBODY}`, "to somebody else"))
    show.check(wrong === "identity/fingerprint", `an address with another fingerprint: ${wrong}`)
    const { trust } = await alice.verify(bob.address)
    show.check(trust === "verified", "bob's address was compared: verified from now on")
    const [one, other] = await Promise.all([alice.safetyNumber("bob"), bob.safetyNumber("alice")])
    show.check(one === other, "both see the same safety number:")
    show.say(one.replace(/^/gm, "          "))
  } finally {
    await Promise.all([alice.close(), bob.close()])
    await hub.close()
  }
}

/** Adds the command. */
export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("show in one process what is promised; touches neither disk nor network")
    .action(
      action<Globals>(async (context) => {
        const show = new Show(context)
        await play(show)
        show.say("Next: agentmesh hub, and in other terminals agentmesh listen and agentmesh send.")
        return show.exit
      }),
    )
}
