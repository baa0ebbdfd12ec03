// Reference driver, SPEC §12: one agent on a store in memory, with or without a hub.

import { acceptCard } from "../../../src/agent/card.ts"
import { checkSendable, markVerified } from "../../../src/agent/contents.ts"
import { type AgentOptions, Emitter } from "../../../src/agent/options.ts"
import { assemble, type Parts } from "../../../src/agent/parts.ts"
import { type Delivery, Tracker } from "../../../src/agent/tracker.ts"
import type { PeerPolicy, TrustPolicy } from "../../../src/agent/trust.ts"
import { decodePayload } from "../../../src/encoding.ts"
import type { Environment } from "../../../src/environment.ts"
import { AgentMeshError } from "../../../src/errors.ts"
import type { Hub } from "../../../src/hub/hub.ts"
import {
  createIdentity,
  fingerprint,
  type OwnIdentity,
  parseAddress,
} from "../../../src/identity.ts"
import type { Draw } from "../../../src/suite.ts"
import type { JsonObject } from "../../driver.ts"
import { deterministicDraw } from "../../vectorgen/draws.ts"
import {
  bytesArg,
  flagArg,
  hex,
  numberArg,
  objectArg,
  optionalBytes,
  suitesArg,
  textArg,
} from "./args.ts"
import { DriverClock } from "./clock.ts"
import type { TestDatabase } from "./database.ts"

/** The secret of an export: a passphrase, or a key of 32 bytes. */
export function secretOf(args: JsonObject): string | Uint8Array {
  return args["key"] === undefined ? textArg(args, "passphrase") : bytesArg(args, "key")
}

function policyArg(args: JsonObject): TrustPolicy {
  if (args["trust"] === undefined) return {}
  const it = objectArg(args, "trust")
  return {
    ...(it["accept"] === undefined ? {} : { accept: textArg(it, "accept") as PeerPolicy }),
    ...(it["send"] === undefined ? {} : { send: textArg(it, "send") as PeerPolicy }),
    ...(it["maxAge"] === undefined ? {} : { maxAge: numberArg(it, "maxAge") }),
  }
}

/** The payload of a body; `agent/payload` if it is none. */
export function payloadOf(body: Uint8Array): ReturnType<typeof decodePayload> {
  try {
    return decodePayload(body)
  } catch (error) {
    throw new AgentMeshError("agent/payload", "no payload", error)
  }
}

/** Tells the id of a content as soon as it is taken: not everybody can wait for the hub. */
class LastTracker extends Tracker {
  onTrack: (id: string) => void = () => undefined

  override track(id: string, to: string): Delivery {
    this.onTrack(id)
    return super.track(id, to)
  }
}

/** An agent whose store is in memory, and whose clock the driver holds. */
export class DrivenAgent {
  readonly db: TestDatabase
  readonly draw: Draw
  readonly clock: DriverClock
  readonly #name: string
  readonly #options: AgentOptions
  readonly #environment: Environment
  parts!: Parts
  tracker: LastTracker

  private constructor(args: JsonObject, db: TestDatabase) {
    this.db = db
    this.draw = deterministicDraw(bytesArg(args, "seed"))
    this.clock = new DriverClock(numberArg(args, "now"))
    const { clock, draw } = this
    this.#environment = { now: () => clock.now, after: clock.after, draw }
    this.tracker = new LastTracker(this.#environment)
    this.#name = textArg(args, "name")
    this.#options = {
      ...{ store: db, environment: this.#environment, trust: policyArg(args) },
      suites: args["suites"] === undefined ? ([1, 2] as const) : suitesArg(args, "suites"),
      requireOneTime: flagArg(args, "requireOneTime", false),
    }
  }

  /** Opens an agent on a store; an export among the arguments goes into it first. */
  static async open(args: JsonObject, db: TestDatabase): Promise<DrivenAgent> {
    const agent = new DrivenAgent(args, db)
    const file = optionalBytes(args, "file")
    const fresh = createIdentity(agent.#name, agent.draw)
    const restore = file ? { restore: { backup: file, secret: secretOf(args) } } : {}
    await agent.#assemble(restore, new Emitter(), fresh)
    return agent
  }

  async #assemble(
    more: AgentOptions,
    emitter: Emitter,
    fresh: OwnIdentity = createIdentity(this.#name, this.draw),
  ): Promise<void> {
    const { tracker } = this
    const options = { ...this.#options, ...more }
    this.parts = await assemble({
      options,
      environment: this.#environment,
      fresh,
      emitter,
      tracker,
    })
  }

  /**
   * Closes it and opens it again on its store, as a restart of its process does.
   *
   * @param hub - Its hub from then on; null: none.
   * @param emitter - Hears of everything from the opening on.
   */
  async reopen(hub: Hub | null, emitter: Emitter = new Emitter()): Promise<void> {
    await this.parts.close()
    this.tracker = new LastTracker(this.#environment)
    await this.#assemble(hub === null ? {} : { hub }, emitter)
  }

  /** Closes it. */
  close(): Promise<void> {
    return this.parts.close()
  }

  get about(): JsonObject {
    const { core } = this.parts
    const bundle = core.currentBundle?.bundle
    return { bundle: bundle ? hex(bundle.bytes) : null, fingerprint: fingerprint(core.own.ik) }
  }

  /** Moves the clock, and waits for what became due: maintenance. */
  async moveClock(now: number): Promise<void> {
    this.clock.move(now)
    for (let i = 0; i < 6; i++) {
      await this.parts.engine.run(() => undefined)
      await new Promise((done) => setTimeout(done, 0))
    }
  }

  async connect(bundle: Uint8Array, expected: string | null): Promise<JsonObject> {
    const pin = await acceptCard(this.parts, bundle, expected)
    return { trust: pin.trust, fingerprint: pin.fingerprint }
  }

  async seal(to: string, body: Uint8Array, re: string | undefined): Promise<JsonObject> {
    const { core, engine, post, sender } = this.parts
    const address = parseAddress(to)
    const content = post.content(payloadOf(body), re === undefined ? {} : { re })
    const envelope = await engine.run(async () => {
      const pin = core.pin(address.name)
      if (!pin) throw new AgentMeshError("agent/no-hub", "no bundle")
      checkSendable(core, address)
      const sealed = await sender.sealDirect(pin, content.bytes)
      if (address.fingerprint) markVerified(core, address.name) // IDENTITY-10
      return sealed
    })
    return { envelope: hex(envelope), id: hex(content.id) }
  }

  async receive(envelope: Uint8Array, from: string | undefined): Promise<JsonObject> {
    const { core, engine, receiver } = this.parts
    const received = await engine.run(() => receiver.receive(from, envelope, false))
    const { arrived, receipts, refused, peer } = received
    const contents = arrived.map(({ content }) => ({
      id: hex(content.id),
      body: hex(content.body),
    }))
    const told = receipts.map(({ id, status }) => ({ id, status }))
    const [first] = refused
    if (first !== undefined && contents.length === 0) throw new AgentMeshError(first, "refused")
    const view = core.view(peer)
    const sender = { name: view.name, fingerprint: view.fingerprint, trust: view.trust }
    return { sender, contents, receipts: told, refused: [...refused] }
  }
}
