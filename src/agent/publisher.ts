// SPEC §12 agent: what the agent publishes at its hub, and when.

import { openBundle } from "../bundle.ts"
import { equalBytes } from "../bytes.ts"
import { AgentMeshError } from "../errors.ts"
import type { Counts, HubClient } from "../hub/client.ts"
import { MAX_ONE_TIME_PUT, MAX_SEQ_AHEAD } from "../limits.ts"
import type { Core } from "./core.ts"
import type { Engine } from "./engine.ts"
import type { KeyKeeper } from "./keys.ts"

/** Publishes bundle and one-time keys of one agent. */
export class Publisher {
  readonly #core: Core
  readonly #engine: Engine
  readonly #keeper: KeyKeeper
  readonly #client: HubClient
  readonly #problem: (error: unknown) => void
  #work: Promise<void> = Promise.resolve()
  /** A drop that was not acknowledged has to be repeated with fresh keys (AGENT-33). */
  #dropAgain = false
  /** A bundle was committed but the hub has not said that it has it (AGENT-31). */
  #unpublished = true

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

  /** Resolves when nothing is being published. */
  get settled(): Promise<void> {
    return this.#work
  }

  /** Publishes what is due after a login: all of it if the hub holds the keys of a lost state. */
  begin(counts: Counts): void {
    this.#work = this.#publish(counts).catch(this.#problem)
  }

  /** Publishes what is due: after a rotation, or when one-time keys are low. */
  refresh(): void {
    this.#work = this.#work
      .then(() => this.#client.counts())
      .then((counts) => this.#publish(counts))
      .catch(this.#problem)
  }

  async #publish(counts: Counts): Promise<void> {
    const core = this.#core
    const { store } = core
    const known = core.currentBundle
    // Keys at the hub may belong to a state that was lost: they would send first contacts into
    // the void (AGENT-32).
    const foreign = counts.bundleSeq !== null && counts.bundleSeq !== known?.bundle.seq
    const drop = store.meta.imported || (foreign && !this.#unpublished) || this.#dropAgain
    const bundle = await this.#engine.run(() => {
      const renew = this.#keeper.rotationDue || (drop && !this.#dropAgain)
      return renew || known === undefined ? this.#keeper.rotate() : known
    })
    if (counts.bundleSeq !== bundle.bundle.seq) await this.#putBundle(bundle.bundle.bytes)
    const left = drop ? new Map<number, number>() : counts.oneTime
    const keys = await this.#engine.run(() => this.#keeper.refill(left))
    this.#dropAgain = drop
    for (let at = 0; at < keys.length; at += MAX_ONE_TIME_PUT) {
      await this.#client.putOneTime(drop && at === 0, keys.slice(at, at + MAX_ONE_TIME_PUT))
    }
    this.#dropAgain = false
    if (store.meta.imported) await this.#engine.run(() => store.updateMeta({ imported: false }))
  }

  async #putBundle(bytes: Uint8Array): Promise<void> {
    this.#unpublished = true
    try {
      await this.#client.putBundle(bytes)
    } catch (error) {
      if (!(error instanceof AgentMeshError) || error.code !== "hub/bundle-stale") throw error
      const row = await this.#raiseSeq()
      await this.#client.putBundle(row)
    }
    this.#unpublished = false
  }

  /** The hub's seq is a hint: only an own signature makes it count (BUNDLE-8). */
  async #raiseSeq(): Promise<Uint8Array> {
    const { own, store, now } = this.#core
    const { bundle: bytes } = await this.#client.getBundle(own.name, [])
    const theirs = openBundle(bytes)
    const ours = equalBytes(theirs.ik, own.ik) && theirs.seq < now + MAX_SEQ_AHEAD
    if (!ours) throw new AgentMeshError("hub/bundle-stale", "the hub holds no bundle of this agent")
    const row = await this.#engine.run(() => {
      if (theirs.seq > store.meta.seq) store.updateMeta({ seq: theirs.seq })
      return this.#keeper.rotate()
    })
    return row.bundle.bytes
  }
}
