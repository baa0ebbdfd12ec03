// SPEC §12 agent: the parts of one agent, put together on its store.

import { ONE_TIME_REQUIRED } from "../bundle.ts"
import { toHex } from "../bytes.ts"
import type { Environment } from "../environment.ts"
import { AgentMeshError, require } from "../errors.ts"
import { fingerprint, type OwnIdentity, restoreIdentity } from "../identity.ts"
import {
  COMPACT_CONTENTS,
  COMPACT_KEYS,
  EVENT_INTERVAL,
  MAX_STRANGER_SESSIONS,
  MAX_STRANGER_SKIPPED,
  PUBLISHED_ONE_TIME,
} from "../limits.ts"
import type { Suite } from "../suite.ts"
import { importState } from "./backup.ts"
import { Core } from "./core.ts"
import { Engine } from "./engine.ts"
import { Inbox } from "./inbox.ts"
import { KeyKeeper } from "./keys.ts"
import { Network } from "./network.ts"
import type { AgentOptions, Emitter } from "./options.ts"
import { Post } from "./post.ts"
import { claimantOf, type Received, Receiver } from "./receive.ts"
import type { ContentRow } from "./rows.ts"
import { purgeSeen } from "./seen.ts"
import { Sender } from "./send.ts"
import { purgeSessions } from "./sessions.ts"
import { AgentStore } from "./store.ts"
import type { Tracker } from "./tracker.ts"

const MAINTENANCE = COMPACT_KEYS * 1000
const DAY = COMPACT_CONTENTS * 1000
const SUITES: readonly Suite[] = [1, 2]

/** Everything that works for one agent. */
export interface Parts {
  readonly core: Core
  readonly sender: Sender
  readonly receiver: Receiver
  readonly engine: Engine
  readonly inbox: Inbox
  readonly network: Network | null
  readonly post: Post
  /** Reports a content that was given up. */
  lost(row: ContentRow, reason: string): void
  close(): Promise<void>
}

/** What the parts are put together from. */
export interface Plan {
  readonly options: AgentOptions
  readonly environment: Environment
  /** The identity for an empty store. */
  readonly fresh: OwnIdentity
  readonly emitter: Emitter
  readonly tracker: Tracker
}

/** Opens the store, loads or creates the identity, and starts. */
export async function assemble(plan: Plan): Promise<Parts> {
  const { options } = plan
  const store = await AgentStore.open(options.store ?? null)
  try {
    const own = await loadIdentity(store, plan)
    return await start(plan, store, own)
  } catch (error) {
    await store.close().catch(() => {})
    throw error
  }
}

/** The identity of the store, or the first one in it. */
async function loadIdentity(store: AgentStore, plan: Plan): Promise<OwnIdentity> {
  const { name } = plan.fresh
  const { restore } = plan.options
  const row = store.get("key/identity", "self")
  if (row) {
    require(row.name === name, "identity/name", `this store belongs to ${row.name}, not ${name}`)
    const empty = restore === undefined
    require(empty, "agent/store-corrupt", "an export can only be restored into an empty store")
    return restoreIdentity(name, row.ikSecret, row.dkSecret)
  }
  let own = plan.fresh
  if (restore) {
    const backup = importState(restore.backup, restore.secret)
    require(backup.name === name, "identity/name", `this export is of ${backup.name}, not ${name}`)
    own = restoreIdentity(name, backup.ikSecret, backup.dkSecret)
    const importedAt = Math.floor(plan.environment.now() / 1000)
    store.updateMeta({ seq: backup.seq, dropDue: true, importedAt })
    const hub = plan.options.hub?.address
    if (backup.hubIk && hub) store.put("hub", hub, { ik: backup.hubIk })
    stagePeers(store, backup.peers)
  }
  const { ikSecret, dkSecret } = own
  store.put("key/identity", "self", { name, ikSecret, dkSecret })
  await store.commit()
  return own
}

function stagePeers(store: AgentStore, peers: ReturnType<typeof importState>["peers"]): void {
  for (const { name, ik, trust, suite, seq } of peers) {
    store.put("pin", name, { name, ik, trust })
    const none = {
      ref: null,
      bundle: null,
      sentTo: false,
      confirmed: true,
      floorMs: 0,
      seen: 0,
      placed: 0,
    }
    const rest = { ...none, probeInterval: 0, probeAtMs: 0, card: null }
    const number = store.nextOrder()
    store.put("peer", `${name}#${toHex(ik)}`, { name, ik, number, suite, seq, ...rest })
  }
}

async function start(plan: Plan, store: AgentStore, own: OwnIdentity): Promise<Parts> {
  const { options, environment, emitter, tracker } = plan
  const core = new Core({
    store,
    own,
    environment,
    suites: options.suites ?? SUITES,
    policy: options.trust ?? {},
    strangers: {
      sessions: MAX_STRANGER_SESSIONS,
      skipped: MAX_STRANGER_SKIPPED,
      ...options.strangers,
    },
    hub: options.hub !== undefined,
  })
  const sender = new Sender(core)
  const receiver = new Receiver(core)
  const flags = options.requireOneTime ? ONE_TIME_REQUIRED : 0
  const wanted = Math.min(options.oneTimeKeys ?? PUBLISHED_ONE_TIME, PUBLISHED_ONE_TIME)
  const keeper = new KeyKeeper(core, flags, wanted)
  let network: Network | null = null

  const lost = (row: ContentRow, reason: string) => {
    tracker.advance(row.id, row.name, "undelivered")
    emitter.emit("undelivered", { id: row.id, to: row.name, reason })
  }
  const engine: Engine = new Engine(core, sender, {
    transmit: (out) => network?.transmit(out),
    fetch: (name, kind) => network?.fetch(name, kind),
    failed: (name, error) => network?.failed(name, error),
    probesFrom: () => network?.probesFrom ?? Number.POSITIVE_INFINITY,
    undelivered: (row) => lost(row, "no receipt in time, or another fingerprint than asked for"),
    broken(error) {
      receiver.recount()
      emitter.emit("problem", { name: own.name, error: storeError(error) })
    },
  })
  const inbox: Inbox = new Inbox(core, receiver, {
    run: (job) => engine.run(job),
    touch: (name) => engine.touch(name),
    reply: (message, payload) => post.reply(message, payload),
    failed: (error, message) => emitter.emit("handler-error", { error, message }),
    waits: (row) => emitter.emit("waiting", { id: toHex(row.id), from: row.name }),
    handled: () => network?.takeMail(),
  })

  const received = (one: Received) => {
    for (const arrived of one.arrived) {
      const { key, content } = arrived
      if (!inbox.answer(key, one.peer, content)) inbox.dispatch(key, arrived)
    }
    for (const { id, status, known } of one.receipts) {
      const state = (["delivered", "processed", "failed"] as const)[status - 1] ?? "delivered"
      const news = tracker.advance(id, one.peer.name, state)
      if (known || news) emitter.emit("receipt", { id, to: one.peer.name, state })
    }
    for (const code of one.refused) {
      const error = new AgentMeshError(code, `a content of ${one.peer.name} was refused`)
      emitter.emit("rejected", { from: one.peer.name, error })
    }
    engine.touch(one.peer.name)
  }
  const changes = new ChangeReports(core, emitter)
  if (options.hub) {
    const hub = options.hub.address
    network = new Network(
      options.hub,
      core,
      { engine, sender, receiver, keeper },
      {
        received,
        rejected(error, from) {
          const claimant = claimantOf(error)
          if (claimant) changes.report(claimant.name, fingerprint(claimant.ik))
          emitter.emit("rejected", { from, error })
        },
        stored: (ids, to) => {
          for (const id of ids) tracker.advance(id, to, "stored")
        },
        refused: (rows, reason) => {
          for (const row of rows) lost(row, reason)
        },
        problem: (error, name) => emitter.emit("problem", { error, name }),
        changed: (name) => changes.report(name, null),
        connected: () => emitter.emit("connected", { hub }),
        drained: () => void engine.run(() => erasePast(core, keeper)).catch(() => {}),
        disconnected: (error, willReconnect) =>
          emitter.emit("disconnected", { error, willReconnect }),
      },
    )
  }

  const post = new Post({ core, engine, sender, inbox, network, tracker })
  await engine.run(() => {
    if (!network && keeper.rotationDue) keeper.rotate()
  })
  engine.start()
  const stop = maintain(environment, { core, engine, keeper, network: () => network })
  const close = async () => {
    stop()
    inbox.close()
    await network?.close()
    await engine.close()
    await store.close()
  }
  return { core, sender, receiver, engine, inbox, network, post, lost, close }
}

/** Erases sessions and private keys that are past their age. */
async function erasePast(core: Core, keeper: KeyKeeper): Promise<void> {
  purgeSessions(core)
  await keeper.erase()
}

/** Every ten minutes: erase what is past its time, rotate what is old, compact (SPEC §12.3). */
function maintain(
  environment: Environment,
  parts: { core: Core; engine: Engine; keeper: KeyKeeper; network: () => Network | null },
): () => void {
  const { core, engine, keeper } = parts
  let dailyAt = environment.now() + DAY
  let cancel = () => {}
  const work = async () => {
    const network = parts.network()
    dailyAt = Math.min(dailyAt, environment.now() + DAY) // the clock was set back (AGENT-1)
    const daily = environment.now() >= dailyAt
    if (daily) dailyAt = environment.now() + DAY
    await engine.run(async () => {
      // Mail that came while the agent was away may still need old keys (AGENT-30).
      if (network === null || network.drained) {
        await erasePast(core, keeper)
        if (daily) await purgeSeen(core)
      }
      if (network === null && keeper.rotationDue) keeper.rotate()
    })
    if (network && keeper.rotationDue) network.publish()
    for (const name of core.outboxes.keys()) engine.touch(name)
    for (const name of core.store.table("data/out").keys()) engine.touch(name)
    await engine.run(() => core.store.compact("key/"))
    if (daily) await engine.run(() => core.store.compact("data/"))
  }
  const next = () => {
    cancel = environment.after(MAINTENANCE, () => {
      next()
      work().catch(() => {})
    })
  }
  next()
  return () => cancel()
}

/** Reports a changed identity at most once per name and hour (IDENTITY-11). */
class ChangeReports {
  readonly #core: Core
  readonly #emitter: Emitter
  readonly #reported = new Map<string, number>()

  constructor(core: Core, emitter: Emitter) {
    this.#core = core
    this.#emitter = emitter
  }

  report(name: string, claimed: string | null): void {
    const { now } = this.#core
    const pin = this.#core.pin(name)
    const last = this.#reported.get(name)
    if (!pin || (last !== undefined && Math.abs(now - last) < EVENT_INTERVAL)) return
    this.#reported.set(name, now)
    this.#emitter.emit("identity-changed", { name, pinned: fingerprint(pin.ik), claimed })
  }
}

function storeError(error: unknown): AgentMeshError {
  if (error instanceof AgentMeshError) return error
  return new AgentMeshError("agent/store-corrupt", "the store refused a commit", error)
}
