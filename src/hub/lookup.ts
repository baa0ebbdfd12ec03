// SPEC §11 hub: what is read straight from the store, because it is public and changes nothing.

import { encode } from "../encoding.ts"
import { MAX_NAMES } from "../limits.ts"
import { pageNames, pageRange } from "./machine.ts"
import { type BundleRow, keyOf } from "./rows.ts"
import type { HubStore } from "./store.ts"

/** One page of names that have a bundle, in order, each greater than `after`. */
export async function readPage(store: HubStore, after: string): Promise<readonly string[]> {
  const { rows } = await store.range(...pageRange(after), MAX_NAMES)
  return pageNames(rows.map(([key]) => key))
}

/** All names that have a bundle, in order. */
export async function readAllNames(store: HubStore): Promise<readonly string[]> {
  const names: string[] = []
  for (;;) {
    const page = await readPage(store, names.at(-1) ?? "")
    names.push(...page)
    if (page.length < MAX_NAMES) return names
  }
}

/** The signed bundle of a name, null without one. */
export async function readBundle(store: HubStore, name: string): Promise<Uint8Array | null> {
  const [row] = await store.read([keyOf.bundle(name)])
  if (!row) return null
  const [body, sig] = row as BundleRow
  return encode([body, sig])
}
