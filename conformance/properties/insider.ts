// An initiator written by hand, who knows all keys of a session and follows no rule: it restarts
// chains, skips numbers, lies about earlier chains, signs with any key.

import { readItem } from "../cbor.ts"
import type { JsonObject } from "../driver.ts"
import { hex, unhex } from "../values.ts"
import { type Contact, prekeyOf } from "./flight.ts"
import { type Block, type Deviation, forge } from "./forge.ts"
import { NOW } from "./gen.ts"
import type { Oracle } from "./trial.ts"

/** A sending chain of the insider. */
export interface Chain {
  readonly block: Block
  readonly ck: string
  /** Root key after the step that made it. */
  readonly rk: string
  /** Secret of its block, as operations take it. */
  readonly own: JsonObject
  /** Number of turns of the other end when it was made. */
  readonly turn: number
  /** Whether it follows another chain of the insider, without an answer in between. */
  readonly early: boolean
}

/** One envelope of the insider. */
export interface Making {
  readonly chain: Chain
  readonly n: number
  readonly pn: number
  readonly contents: readonly string[]
  readonly deviation?: Deviation
}

/** Header of an envelope, as far as sessions read it. */
export interface Header {
  readonly sid: string
  readonly block: Block
  readonly pn: number
  readonly n: number
  readonly guard: string
  readonly init: boolean
  /** Bytes of the ciphertext. */
  readonly ct: string
}

/** Reads the header of a well-formed envelope. */
export function readHeader(envelope: string): Header {
  const outer = unhex(envelope)
  const [first, second] = readItem(outer).items
  const bytes = outer.subarray(first?.body, first?.end)
  const [, sid, block, pn, n, guard, init] = readItem(bytes).items
  const part = (item: { major: number; body: number; end: number } | undefined) =>
    item?.major === 2 ? hex(bytes.subarray(item.body, item.end)) : null
  const [x, ek, kemCt] = block?.items ?? []
  return {
    ...{ sid: part(sid) as string, guard: part(guard) as string, init: init?.major === 4 },
    ...{ block: { x: part(x) as string, ek: part(ek), kemCt: part(kemCt) } },
    ...{ pn: Number(pn?.argument), n: Number(n?.argument) },
    ct: hex(outer.subarray(second?.body, second?.end)),
  }
}

/** The insider, as initiator of a contact. */
export class Insider {
  readonly #it: Contact
  readonly #oracle: Oracle
  #rk: string
  #answers: { readonly x: string; readonly ek: string | null }
  #turn = 0
  #made = 0

  constructor(it: Contact, oracle: Oracle) {
    this.#it = it
    this.#oracle = oracle
    this.#rk = it.rk
    this.#answers = prekeyOf(it.bundle.bundle, it.suite)
  }

  /** How often the other end has stepped. */
  get turn(): number {
    return this.#turn
  }

  /** A new chain from the last state of the other end that is known, or right after `chain`. */
  async step(chain: Chain | null = null): Promise<Chain> {
    const { suite, th } = this.#it
    const seed = (0xe0_0000 + ++this.#made).toString(16).padStart(64, "0")
    const { own, pub } = await this.#keys(seed)
    const { ek } = this.#answers
    const kem = ek === null ? null : await this.#oracle.ok("suite.encaps", { ek, m: seed })
    const args = { secret: own["x"] as string, remote: this.#answers.x }
    const { shared } = await this.#oracle.ok("suite.dh", args)
    const secret = (shared as string) + ((kem?.["ss"] as string) ?? "")
    const block = { ...pub, kemCt: (kem?.["ct"] ?? null) as string | null }
    const stepped = await this.#oracle.ok("keyschedule.ratchet", {
      ...{ suite, th, rk: chain?.rk ?? this.#rk, secret, block, answered: this.#answers },
    })
    const { rk, ck } = stepped as Record<"rk" | "ck", string>
    return { block, ck, rk, own, turn: this.#turn, early: chain !== null }
  }

  /** The other end has accepted `chain` and has answered with `envelope`, its first in a chain. */
  async answered(chain: Chain, envelope: string): Promise<void> {
    const { suite, th } = this.#it
    const { block } = readHeader(envelope)
    const { secret } = await this.#oracle.ok("keyschedule.exchange", {
      ...{ own: chain.own, block: { ...block } },
    })
    const answered = { x: chain.block.x, ek: chain.block.ek }
    const stepped = await this.#oracle.ok("keyschedule.ratchet", {
      ...{ suite, th, rk: chain.rk, secret: secret as string, block: { ...block }, answered },
    })
    this.#rk = stepped["rk"] as string
    this.#answers = { x: block.x, ek: block.ek }
    this.#turn++
  }

  /** An envelope, signed by alice unless it deviates. */
  async envelope({ chain, n, pn, contents, deviation = {} }: Making): Promise<string> {
    const { suite, th, alice, bob } = this.#it
    const guard = (0x6000_0000 + ++this.#made).toString(16).padStart(32, "0")
    const walked = { suite, th, ck: chain.ck, n: Math.min(n, 1_100), guard }
    const { mk } = await this.#oracle.ok("keyschedule.message", walked)
    const parts = {
      ...{ suite, th, mk: mk as string, sender: alice.identity, recipient: bob.peer.name },
      ...{ block: chain.block, pn, n, guard, init: null, contents },
    }
    return forge(this.#oracle, parts, deviation)
  }

  /** A fresh pair of an exchange; its encapsulation key is a real one. */
  async #keys(seed: string): Promise<{ own: JsonObject; pub: { x: string; ek: string | null } }> {
    const { suite, alice } = this.#it
    const args = { identity: alice.identity, seed, seq: 1, now: NOW, suites: [suite] }
    const { bundle, prekeys } = await this.#oracle.ok("bundle.create", args)
    const [secret] = prekeys as unknown as readonly { x: string; kem: string | null }[]
    const own = { x: secret?.x as string, kem: secret?.kem ?? null }
    return { own, pub: prekeyOf(bundle as string, suite) }
  }
}
