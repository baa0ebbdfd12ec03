// The reference attacker of SPEC §15, T4 and T5: it has recorded everything on the wire, gets all
// that agents hold at some moment, and computes whatever can be computed from both.

import { createHmac } from "node:crypto"
import { equalBytes, toHex } from "../../src/bytes.ts"
import { encode } from "../../src/encoding.ts"
import type { Block } from "../../src/keyschedule.ts"
import type { Session } from "../../src/session.ts"
import { decapsulate, dh, type ExchangePublic, type ExchangeSecret } from "../../src/suite.ts"
import { exchange } from "./insider.ts"
import type { Party } from "./kit.ts"
import {
  chainKey,
  decrypt,
  type RawHeader,
  rawExpand,
  rawHash,
  rawMessageKey,
  rawStep,
  split,
} from "./raw.ts"

interface Recorded {
  readonly envelope: Uint8Array
  readonly parts: RawHeader
}

type Secret = readonly [shared: Uint8Array, answered: ExchangePublic]

interface Half {
  readonly secret: ExchangeSecret
  readonly public: ExchangePublic
}

interface Chain {
  readonly block: string
  readonly n: number
  readonly key: Uint8Array
}

const blockName = ({ x, ek, kemCt }: Block): string => toHex(rawHash("block", x, ek, kemCt))

/** Everything that follows from what was recorded and what leaked, on one session. */
export class Attacker {
  readonly #suite: number
  readonly #th: Uint8Array
  readonly #recorded: readonly Recorded[]
  readonly #blocks = new Map<string, Block>()
  readonly #roots = new Map<string, Uint8Array>()
  readonly #halves = new Map<string, Half>()
  readonly #chains: Chain[] = []
  readonly #messages: Chain[] = []
  /** Public keys that a block may answer. */
  readonly #publics = new Map<string, ExchangePublic>()
  readonly #shared = new Map<string, readonly Secret[]>()
  readonly #tried = new Set<string>()

  constructor(suite: number, th: Uint8Array, recorded: readonly Uint8Array[]) {
    this.#suite = suite
    this.#th = th
    this.#recorded = recorded.map((envelope) => ({ envelope, parts: split(envelope) }))
    for (const { parts } of this.#recorded) {
      this.#blocks.set(blockName(parts.block), parts.block)
      this.#publics.set(toHex(parts.block.x), parts.block)
    }
  }

  /** All of a session, as it is stored. */
  learnSession(session: Session): void {
    this.#roots.set(toHex(session.rk), session.rk)
    if (session.own) this.#learnHalf(session.own.secret, session.own.block)
    this.#publics.set(toHex(session.remote.x), session.remote)
    if (session.cks && session.own) {
      this.#chains.push({ block: blockName(session.own.block), n: session.ns, key: session.cks })
    }
    if (session.ckr && session.block) {
      this.#chains.push({ block: toHex(session.block), n: session.nr, key: session.ckr })
    }
    for (const { block, n, mk } of session.skipped) {
      this.#messages.push({ block: toHex(block), n, key: mk })
    }
  }

  /** All long-term, prekey and one-time secrets of an agent; those erased before are not there. */
  learnKeys(party: Party, prekeys: boolean): void {
    for (const bundle of party.bundles.values()) {
      for (const { suite, x, ek } of bundle.prekeys) {
        this.#publics.set(toHex(x), { x, ek })
        const secret = bundle.secrets.get(suite)
        if (suite !== this.#suite || !prekeys || !secret) continue
        this.#learnHalf(secret, { x, ek })
        this.#founding(party, secret)
      }
    }
  }

  /** rk0, where a recorded init and the keys of its responder give it. */
  #founding(party: Party, prekey: ExchangeSecret): void {
    for (const { parts } of this.#recorded) {
      if (parts.init === null) continue
      const [, , otkRef, , , dk, e, kemCt] = parts.init as readonly (Uint8Array | null)[]
      const oneTime = otkRef ? party.oneTimes.get(toHex(otkRef)) : undefined
      if ((otkRef && !oneTime) || !dk || !e) continue
      const secrets = [dh(prekey.x, dk), dh(party.own.dkSecret, e), dh(prekey.x, e)]
      if (oneTime) secrets.push(dh(oneTime.secret.x, e))
      const kd = oneTime ? oneTime.secret.kem : prekey.kem
      if (kd && kemCt) secrets.push(decapsulate(kd, kemCt))
      const prk = createHmac("sha256", this.#th).update(Buffer.concat(secrets)).digest()
      const rk = rawExpand(prk, encode(["AgentMesh/1 root", this.#suite]), 32)
      this.#roots.set(toHex(rk), rk)
    }
  }

  #learnHalf(secret: ExchangeSecret, { x, ek }: ExchangePublic): void {
    this.#halves.set(toHex(x), { secret, public: { x, ek } })
  }

  /** Numbers, in the order of recording, of the envelopes that can be read. */
  opened(): ReadonlySet<number> {
    while (this.#oneMoreStep());
    const open = new Set<number>()
    const known = [...this.#chains, ...this.#messages.map(asChain)]
    for (const i of this.#recorded.keys()) if (this.#readable(i, known)) open.add(i)
    return open
  }

  #readable(i: number, chains: readonly (Chain & { readonly message?: boolean })[]): boolean {
    const { envelope, parts } = this.#recorded[i] as Recorded
    const name = blockName(parts.block)
    return chains.some(({ block, n, key, message }) => {
      if (block !== name || (message ? n !== parts.n : n > parts.n)) return false
      const mk = message ? key : rawMessageKey(this.#suite, chainKey(this.#suite, key, parts.n, n))
      return decrypt(this.#suite, this.#th, mk, envelope) !== null
    })
  }

  /** Tries every known root and key on every recorded block whose chain is not known. */
  #oneMoreStep(): boolean {
    for (const [name, block] of this.#blocks) {
      if (this.#chains.some((chain) => chain.block === name && chain.n === 0)) continue
      const i = this.#recorded.findIndex(({ parts }) => blockName(parts.block) === name)
      for (const [secret, answered] of this.#secrets(name, block)) {
        for (const [root, rk] of this.#roots) {
          const attempt = `${root} ${toHex(secret)} ${name}`
          if (this.#tried.has(attempt)) continue
          this.#tried.add(attempt)
          const step = rawStep(this.#suite, this.#th, rk, secret, block, answered)
          const chain = { block: name, n: 0, key: step.ck }
          if (!this.#readable(i, [chain])) continue
          this.#chains.push(chain)
          this.#roots.set(toHex(step.rk), step.rk)
          return true
        }
      }
    }
    return false
  }

  /** Shared secrets of a block: from the half it answers, or, without a KEM, from its own half. */
  #secrets(name: string, block: Block): readonly Secret[] {
    const known = this.#shared.get(name)
    if (known) return known
    const found: Secret[] = []
    for (const { secret, public: answered } of this.#halves.values()) {
      if (!equalBytes(answered.x, block.x)) found.push([exchange(secret, block), answered])
      else if (this.#suite === 1) {
        for (const { x, ek } of this.#publics.values()) {
          if (!equalBytes(x, block.x)) found.push([dh(secret.x, x), { x, ek }])
        }
      }
    }
    this.#shared.set(name, found)
    return found
  }
}

const asChain = (message: Chain) => ({ ...message, message: true })
