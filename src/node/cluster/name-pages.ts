// A cluster of hubs: a page of LIST, put together from all partitions.

import { MAX_NAMES } from "../../limits.ts"
import type { Message } from "./messages.ts"
import type { Routes } from "./routes.ts"

/** Milliseconds until a page is given up. */
const PATIENCE = 10_000

interface Query {
  readonly pages: (readonly string[])[]
  readonly done: (names: readonly string[] | null) => void
}

/** Pages of names that are being put together. */
export class NamePages {
  readonly #routes: Routes
  readonly #send: (hub: string, message: Message) => void
  readonly #queries = new Map<number, Query>()
  #count = 0
  /** Number of partitions. */
  partitions = 0

  constructor(routes: Routes, send: (hub: string, message: Message) => void) {
    this.#routes = routes
    this.#send = send
  }

  /** The first names after `after` of all partitions, in order; null if a partition is silent. */
  page(after: string): Promise<readonly string[] | null> {
    const query = ++this.#count
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(null), PATIENCE)
      timer.unref()
      const done = (names: readonly string[] | null): void => {
        clearTimeout(timer)
        this.#queries.delete(query)
        resolve(names)
      }
      this.#queries.set(query, { pages: [], done })
      for (let i = 0; i < this.partitions; i++) {
        this.#routes.find(i, (route) => {
          if (route === null) done(null)
          else this.#send(route.hub, ["list", i, route.epoch, query, after])
        })
      }
    })
  }

  /** Takes the page of one partition. */
  take(query: number, names: readonly string[]): void {
    const found = this.#queries.get(query)
    if (found === undefined) return
    found.pages.push(names)
    if (found.pages.length < this.partitions) return
    const all = found.pages.flat().sort((a, b) => (a < b ? -1 : 1))
    found.done(all.slice(0, MAX_NAMES))
  }
}
