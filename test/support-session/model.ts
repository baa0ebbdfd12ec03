// The receive and send rules of SPEC §10 with numbers instead of keys: what must open, and why not.

/** An envelope as the rules see it. */
export interface Sent {
  readonly chain: number
  readonly n: number
  readonly pn: number
}

interface Key {
  readonly chain: number
  readonly n: number
  readonly time: number
}

const WEEK = 604_800

/** One end of a session. Chains of one direction are numbered from 0. */
export class ModelEnd {
  chain = -1
  ns = 0
  pn = 0
  /** The sending chain is open: cks is not null. */
  chainOpen = false
  received = -1
  nr = 0
  keys: readonly Key[] = []
  /** `own` is not null. */
  own: boolean

  constructor(role: "initiator" | "responder") {
    this.own = role === "responder"
  }

  get canSeal(): boolean {
    return !this.chainOpen || this.ns < 1000
  }

  seal(): Sent {
    if (!this.chainOpen) {
      this.pn = this.ns
      this.ns = 0
      this.chain++
      this.chainOpen = true
      this.own = true
    }
    return { chain: this.chain, n: this.ns++, pn: this.pn }
  }

  /** The verdict of the rules; the state moves only with "ok". */
  receive({ chain, n, pn }: Sent, now: number): string {
    const held = (key: Key) => key.chain === chain && key.n === n && now - key.time < WEEK
    if (chain === this.received && n >= this.nr) {
      this.#keep(this.#range(chain, this.nr, n, now), now)
      this.nr = n + 1
      return "ok"
    }
    if (chain <= this.received && chain >= this.received - 4) {
      if (!this.keys.some(held)) return "session/replay"
      this.keys = this.keys.filter((key) => !held(key))
      this.#keep([], now)
      return "ok"
    }
    const possible = this.own && pn >= this.nr && (this.received >= 0 || pn === 0)
    if (!possible || chain !== this.received + 1) return "envelope/open"
    const before = this.received < 0 ? [] : this.#range(this.received, this.nr, pn, now)
    this.received = chain
    this.nr = n + 1
    this.own = false
    this.chainOpen = false
    this.#keep([...before, ...this.#range(chain, 0, n, now)], now)
    return "ok"
  }

  #range(chain: number, from: number, to: number, time: number): readonly Key[] {
    const keys: Key[] = []
    for (let n = from; n < to; n++) keys.push({ chain, n, time })
    return keys
  }

  #keep(added: readonly Key[], now: number): void {
    this.keys = [...this.keys, ...added]
      .filter((key) => key.chain >= this.received - 4 && now - key.time < WEEK)
      .slice(-2000)
  }
}
