// SPEC §12 agent: what an application says about its agent, and what it hears of it.

import type { Environment } from "../environment.ts"
import type { AgentMeshError } from "../errors.ts"
import type { Hub } from "../hub/client.ts"
import type { Suite } from "../suite.ts"
import type { StrangerLimits } from "./core.ts"
import type { Database } from "./database.ts"
import type { Message } from "./message.ts"
import type { TrustPolicy } from "./trust.ts"

/** Options of {@link Agent}. */
export interface AgentOptions {
  /** The hub: a LocalHub, or a NetworkHub of `agentmesh/node`. Without one, `seal` and `open`. */
  readonly hub?: Hub
  /** An abstract-level database; without one everything is lost with the process. */
  readonly store?: Database
  /** Suites to offer and use; by default both. */
  readonly suites?: readonly Suite[]
  /** From whom contents are taken, and to whom they are sent. */
  readonly trust?: TrustPolicy
  /** Refuse first messages that use no one-time key. */
  readonly requireOneTime?: boolean
  /** One-time keys to have at the hub for each suite, at most 100, which is the default. */
  readonly oneTimeKeys?: number
  /** What peers that were never written to may occupy. */
  readonly strangers?: Partial<StrangerLimits>
  /** An exported identity for an empty store. */
  readonly restore?: { readonly backup: Uint8Array; readonly secret: BackupSecret }
  /** Clock, timers and randomness, for tests. */
  readonly environment?: Environment
}

/** What protects an export: a passphrase, or a key of 32 random bytes. */
export type BackupSecret = string | Uint8Array

/** Options of {@link Agent.send}. */
export interface SendOptions {
  /** `processed` asks the peer to also say when its handlers are done. */
  readonly receipt?: "delivered" | "processed"
  /** Id of the message that this one answers. */
  readonly re?: string
}

/** Events of {@link Agent.on}. */
export interface AgentEvents {
  /** Another key answers to a pinned name. Nothing was accepted from it, nothing sent to it. */
  "identity-changed": {
    readonly name: string
    readonly pinned: string
    readonly claimed: string | null
  }
  /** A content has arrived at its peer, was handled there, or failed there. */
  receipt: {
    readonly id: string
    readonly to: string
    readonly state: "delivered" | "processed" | "failed"
  }
  /** A content was given up; it may have arrived. */
  undelivered: { readonly id: string; readonly to: string; readonly reason: string }
  /** Something received was refused; nothing changed, nothing was sent because of it. */
  rejected: { readonly from: string; readonly error: AgentMeshError }
  /** A message came and there is no handler: see {@link Agent.waiting}. */
  waiting: { readonly id: string; readonly from: string }
  /** A handler threw; the message is marked as failed and the other handlers ran. */
  "handler-error": { readonly error: unknown; readonly message: Message }
  /** The link to the hub was authenticated, or lost. */
  connected: { readonly hub: string }
  disconnected: { readonly error: AgentMeshError; readonly willReconnect: boolean }
  /** Something in the background did not work; it is tried again. */
  problem: { readonly error: AgentMeshError; readonly name: string }
}

/** What {@link Agent.status} tells. */
export interface AgentStatus {
  readonly agentId: string
  readonly fingerprint: string
  readonly activeSessions: readonly string[]
  /** All sessions: with whom, in which suite, and the look-up id that every envelope shows. */
  readonly sessions: readonly {
    readonly peer: string
    readonly suite: Suite
    readonly sid: string
    readonly confirmed: boolean
  }[]
  readonly knownPeers: readonly string[]
  readonly handlers: number
  readonly connected: boolean
  /** Whether the mail that the hub announced at login has been taken. */
  readonly drained: boolean
  /** Peers for which receipts are due, or an envelope is on its way to the hub. */
  readonly leaving: number
  /** Contents without a receipt, and contents that wait for a handler. */
  readonly pending: number
  readonly inbox: number
}

/** Hears events of one kind. */
export type Listener<K extends keyof AgentEvents> = (event: AgentEvents[K]) => void

/** Calls the listeners of events; one that throws disturbs nobody. */
export class Emitter {
  readonly #listeners = new Map<keyof AgentEvents, Set<(event: never) => void>>()

  /** Adds a listener; the result removes it. */
  on<K extends keyof AgentEvents>(kind: K, listener: Listener<K>): () => void {
    const set = this.#listeners.get(kind) ?? new Set()
    this.#listeners.set(kind, set.add(listener))
    return () => set.delete(listener)
  }

  /** Tells the listeners of `kind`. */
  emit<K extends keyof AgentEvents>(kind: K, event: AgentEvents[K]): void {
    for (const listener of this.#listeners.get(kind) ?? []) {
      try {
        listener(event as never)
      } catch {
        // An event is a report: whoever hears it cannot stop what it reports.
      }
    }
  }
}
