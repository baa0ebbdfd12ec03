// SPEC §12 agent: what the agent publishes at its hub, and when.

import { type Bundle, openBundle } from "../bundle.ts"
import { equalBytes, toHex } from "../bytes.ts"
import { AgentMeshError } from "../errors.ts"
import type { Counts, HubClient } from "../hub/client.ts"
import { HANDSHAKE_BACKOFF_MAX, MAX_LIVE_BUNDLES, MAX_SEQ_AHEAD, SEND_BACKOFF } from "../limits.ts"
import type { Core } from "./core.ts"
import type { Engine } from "./engine.ts"
import type { KeyKeeper } from "./keys.ts"

/** One-time keys of a suite that a login waits for; those made at a time later, with a pause. */
const FIRST_ONE_TIME = 8
const CHUNK = 10
/** Milliseconds. */
const PAUSE = 250
/** Seconds. */
const HOUR = 3_600

/** Publishes bundle and one-time keys of one agent. */
export class Publisher {
  readonly #core: Core
  readonly #engine: Engine
  readonly #keeper: KeyKeeper
  readonly #client: HubClient
  readonly #problem: (error: unknown) => void
  /** Everything that is being published, and the part that makes the agent reachable. */
  #work: Promise<void> = Promise.resolve()
  #registered: Promise<void> = Promise.resolve()
  /** Seconds until what failed is tried again. */
  #pause = SEND_BACKOFF
  /** When a bundle was made because the hub had another one, seconds. */
  #renewedAt = 0

  constructor(
    core: Core,
    parts: { engine: Engine; keeper: KeyKeeper },
    client: HubClient,
    problem: (error: unknown) => void,
  ) {
    this.#core = core
    this.#engine = parts.engine
    this.#keeper = parts.keeper
    this.#client = client
    this.#problem = problem
  }

  /** Resolves when the bundle and first one-time keys are at the hub; the others follow. */
  get registered(): Promise<void> {
    return this.#registered
  }

  /** Publishes what is due after a login. */
  begin(counts: Counts): void {
    const published = this.#publish(counts)
    this.#registered = published.then(
      () => {},
      () => {},
    )
    this.#work = this.#complete(published)
  }

  /** Publishes what is due: after a rotation, or when one-time keys are low. */
  refresh(): void {
    const published = this.#work
      .then(() => this.#client.counts())
      .then((counts) => this.#publish(counts))
    this.#work = this.#complete(published)
  }

  /** Fills up; what the hub refused is tried again after 60 s, doubling to an hour. */
  async #complete(published: Promise<ReadonlyMap<number, number>>): Promise<void> {
    try {
      await this.#fill(await published)
      this.#pause = SEND_BACKOFF
    } catch (error) {
      this.#problem(error)
      const { environment } = this.#core
      environment.after(this.#pause * 1000, () => {
        if (this.#client.connected) this.refresh()
      })
      this.#pause = Math.min(this.#pause * 2, HANDSHAKE_BACKOFF_MAX)
    }
  }

  /** The bundle, and enough one-time keys for the first peers; returns what is at the hub then. */
  async #publish(counts: Counts): Promise<ReadonlyMap<number, number>> {
    const { store } = this.#core
    const bundle = await this.#engine.run(() => {
      const known = this.#core.currentBundle
      const { bundleSeq } = counts
      const explained = bundleSeq === known?.bundle.seq || bundleSeq === store.meta.publishedSeq
      // Keys at the hub may belong to a state that was lost: they would send first contacts into
      // the void (AGENT-32).
      const foreign = known ? !explained : bundleSeq !== null
      if (foreign) store.updateMeta({ dropDue: true })
      const renew = this.#keeper.rotationDue || (foreign && this.#mayRenew)
      return known && !renew ? known : this.#keeper.rotate()
    })
    if (counts.bundleSeq !== bundle.bundle.seq) await this.#putBundle(bundle.bundle)
    const drop = store.meta.dropDue
    const left = new Map(drop ? [] : counts.oneTime)
    await this.#putOneTime(left, FIRST_ONE_TIME, drop)
    if (drop) await this.#engine.run(() => store.updateMeta({ dropDue: false })) // AGENT-33
    return left
  }

  /** A hub that invents a bundle-seq at each login gets a new bundle once an hour, not each time. */
  get #mayRenew(): boolean {
    const { store, now } = this.#core
    const recent = Math.abs(now - this.#renewedAt) < HOUR
    if (recent || store.table("key/bundle").size >= MAX_LIVE_BUNDLES) return false
    this.#renewedAt = now
    return true
  }

  /** The remaining one-time keys, a few at a time: they take a while, and nobody waits. */
  async #fill(before: ReadonlyMap<number, number>): Promise<void> {
    const left = new Map(before)
    do {
      await new Promise<void>((resume) => this.#core.environment.after(PAUSE, resume))
    } while ((await this.#putOneTime(left, CHUNK, false)) > 0)
  }

  /** Makes and publishes up to `most` one-time keys of each suite that is low; counts them in. */
  async #putOneTime(left: Map<number, number>, most: number, drop: boolean): Promise<number> {
    const { store } = this.#core
    const keys = await this.#engine.run(() => this.#keeper.refill(left, most))
    if (keys.length === 0 && !drop) return 0
    try {
      await this.#client.putOneTime(
        drop,
        keys.map((key) => key.bytes),
      )
    } catch (error) {
      // Refused keys are gone; those without a reply may be at the hub and stay live (AGENT-35).
      const refused = error instanceof AgentMeshError && error.code !== "hub/unreachable"
      const refs = refused ? keys.map((key) => toHex(key.ref)) : []
      await this.#engine.run(() => {
        for (const ref of refs) store.delete("key/one-time", ref)
      })
      throw error
    }
    for (const { suite } of keys) left.set(suite, (left.get(suite) ?? 0) + 1)
    return keys.length
  }

  async #putBundle(bundle: Bundle): Promise<void> {
    let { bytes, seq } = bundle
    try {
      await this.#client.putBundle(bytes)
    } catch (error) {
      if (!(error instanceof AgentMeshError) || error.code !== "hub/bundle-stale") throw error
      const raised = await this.#raiseSeq()
      bytes = raised.bytes
      seq = raised.seq
      await this.#client.putBundle(bytes)
    }
    await this.#engine.run(() => this.#core.store.updateMeta({ publishedSeq: seq }))
  }

  /** The hub's seq is a hint: only an own signature makes it count (BUNDLE-8). */
  async #raiseSeq(): Promise<Bundle> {
    const { own, store, now } = this.#core
    const { bundle: bytes } = await this.#client.getBundle(own.name, [])
    const theirs = openBundle(bytes)
    const ours = equalBytes(theirs.ik, own.ik) && theirs.seq < now + MAX_SEQ_AHEAD
    if (!ours) throw new AgentMeshError("hub/bundle-stale", "the hub holds no bundle of this agent")
    const row = await this.#engine.run(() => {
      if (theirs.seq > store.meta.seq) store.updateMeta({ seq: theirs.seq })
      return this.#keeper.rotate()
    })
    return row.bundle
  }
}
