// SPEC §12 agent: from a payload to a content in the queue.

import { fromHex, toHex } from "../bytes.ts"
import { type Payload, writePayload } from "../encoding.ts"
import { encodeContent, innerLength, padme } from "../envelope.ts"
import { AgentMeshError, require } from "../errors.ts"
import { type Address, fingerprint, parseAddress } from "../identity.ts"
import { MAX_CONTENT } from "../limits.ts"
import { checkSendable, type NewContent, stageContent } from "./contents.ts"
import type { Core } from "./core.ts"
import type { Engine } from "./engine.ts"
import type { Inbox } from "./inbox.ts"
import { type Message, type MessageInput, toPayload } from "./message.ts"
import type { Network } from "./network.ts"
import type { SendOptions } from "./options.ts"
import type { Sender } from "./send.ts"
import type { Delivery, Tracker } from "./tracker.ts"
import { checkFingerprint } from "./trust.ts"

/** What sending needs of an agent. */
export interface PostParts {
  readonly core: Core
  readonly engine: Engine
  readonly sender: Sender
  readonly inbox: Inbox
  readonly network: Network | null
  readonly tracker: Tracker
}

/** One address for each name; that with a fingerprint wins, two different ones are refused. */
function distinct(addresses: readonly Address[]): Iterable<Address> {
  const byName = new Map<string, Address>()
  for (const address of addresses) {
    const before = byName.get(address.name)
    if (!before?.fingerprint) byName.set(address.name, address)
    const same = !before?.fingerprint || [null, before.fingerprint].includes(address.fingerprint)
    require(same, "identity/fingerprint", `two fingerprints for ${address.name}`)
  }
  return byName.values()
}

/** Names everyone whom a message did not go to; what was sent to the others stays sent. */
function notToAll(
  failed: readonly { readonly name: string; readonly reason: unknown }[],
  total: number,
): unknown {
  const reasons = failed.map(({ reason }) => reason)
  const [first] = reasons
  if (total === 1 || !(first instanceof AgentMeshError)) return first
  const list = failed.map(({ name, reason }) => {
    return `${name} (${reason instanceof AgentMeshError ? reason.code : "failed"})`
  })
  const others = failed.length === total ? "" : "; all others have it, do not send it to them again"
  const cause = new AggregateError(reasons, list.join(", "))
  return new AgentMeshError(first.code, `not sent to ${list.join(", ")}${others}`, cause)
}

/** Takes what one agent sends. */
export class Post {
  readonly #parts: PostParts

  constructor(parts: PostParts) {
    this.#parts = parts
  }

  /** See {@link Agent.sendPayload}. */
  async send(to: string, payload: Payload, options?: SendOptions): Promise<Delivery> {
    const address = parseAddress(to)
    return this.#queue(address, this.content(payload, options))
  }

  /** See {@link Agent.sendMany}. */
  async sendMany(
    to: readonly string[],
    payload: Payload,
    options?: SendOptions,
  ): Promise<readonly Delivery[]> {
    this.#requireHub()
    const addresses = to.map(parseAddress)
    const content = this.content(payload, options)
    // A name that stands there twice gets the content once (AGENT-10).
    const queued = new Map<string, Promise<Delivery>>()
    for (const { name, fingerprint } of distinct(addresses)) {
      queued.set(name, this.#queue({ name, fingerprint }, content))
    }
    const results = await Promise.allSettled(queued.values())
    const failed = [...queued.keys()].flatMap((name, i) => {
      const result = results[i] as PromiseSettledResult<Delivery>
      return result.status === "rejected" ? [{ name, reason: result.reason as unknown }] : []
    })
    if (failed.length > 0) throw notToAll(failed, queued.size)
    return Promise.all(addresses.map(({ name }) => queued.get(name) as Promise<Delivery>))
  }

  /** See {@link Agent.request}. */
  async request(
    to: string,
    payload: Payload,
    options: SendOptions,
    timeout: number,
  ): Promise<Message> {
    this.#requireHub()
    const { core, inbox } = this.#parts
    const address = parseAddress(to)
    const content = this.content(payload, options)
    const asked = () => core.pin(address.name)
    const id = content.hex
    const answer = inbox.expect(id, asked, timeout, core.environment)
    answer.catch(() => {})
    try {
      await this.#queue(address, content)
    } catch (error) {
      inbox.abandon(id)
      throw error
    }
    return answer
  }

  /** Answers a message, if its sender still is who it was. */
  async reply(message: Message, input: MessageInput): Promise<Delivery> {
    this.#requireHub()
    const { sender, id } = message
    const pin = this.#parts.core.pin(sender)
    const same = pin !== undefined && fingerprint(pin.ik) === message.fingerprint
    require(same, "identity/changed", `${sender} is no longer who sent the message`)
    const content = this.content(toPayload(input), { re: id })
    return this.#queue({ name: sender, fingerprint: null }, content)
  }

  /**
   * Encodes a payload as a content; its bytes never change again (ENVELOPE-1).
   *
   * @throws {@link AgentMeshError} `agent/payload`.
   */
  content(payload: Payload, options: SendOptions = {}): NewContent {
    const { environment } = this.#parts.core
    const ask = options.receipt === "processed" ? 1 : 0
    const { id, bytes } = writePayload(payload, (body) => {
      const id = environment.draw("content-id", 16)
      const sentMs = environment.now() // ENVELOPE-2
      const re = options.re === undefined ? null : fromHex(options.re)
      if (re && re.length !== 16) throw new RangeError(`"re" expected 16 bytes, got ${re.length}`)
      return { id, bytes: encodeContent({ kind: 0, id, sentMs, re, ask, body }) }
    })
    // ENVELOPE-4, AGENT-9
    const alone = padme(innerLength([bytes]) + 1) <= this.#parts.core.maxPadded
    const fits = bytes.length <= MAX_CONTENT && alone
    require(fits, "agent/payload", `${bytes.length} bytes are too many for one message`)
    return { id, hex: toHex(id), bytes, ask }
  }

  async #queue(address: Address, content: NewContent): Promise<Delivery> {
    const { core, engine, sender, tracker } = this.#parts
    const network = this.#requireHub()
    const { name } = address
    checkSendable(core, address)
    const pin = core.pin(name)
    // What can be said at once is not left for later: an unknown name, a changed identity.
    if (!(pin && sender.sending(pin)) && !engine.offered(name)) {
      await network.introduce(name, address.fingerprint)
    }
    const offered = engine.offered(name)
    if (offered) checkFingerprint(offered, address.fingerprint)
    const delivery = tracker.track(content.hex, name)
    await engine.run(() => {
      stageContent(core, address, content)
      engine.touch(name)
    })
    if (network.connected) await tracker.stored(delivery)
    return delivery
  }

  #requireHub(): Network {
    const { network } = this.#parts
    if (network) return network
    const advice = "pass { hub } to the agent, or use connectWithBundle(), seal() and open()"
    throw new AgentMeshError("agent/no-hub", advice)
  }
}
