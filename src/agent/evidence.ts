// SPEC §6, §11, §12: what proves that somebody lied about a name.

import { openBundle } from "../bundle.ts"
import { toHex } from "../bytes.ts"
import type { Core } from "./core.ts"
import { decodeRow, type EvidenceRow, encodeRow, type ReceiptRow } from "./rows.ts"

/** Evidence about one name; every part is signed and convinces others too. */
export interface Evidence {
  /** Signed directory receipts of each hub: the first one seen, and the latest. */
  readonly receipts: readonly {
    readonly hub: string
    readonly first: Uint8Array
    readonly latest: Uint8Array
  }[]
  /** Two signed bundles of one peer with one seq; empty if there are none. */
  readonly bundles: readonly Uint8Array[]
}

const receiptKey = (name: string, hubIk: Uint8Array) => `${name}/${toHex(hubIk)}`

/** Stages a directory receipt: the first and the latest of a hub are kept. */
export async function keepReceipt(
  core: Core,
  receipt: { readonly name: string; readonly hubIk: Uint8Array; readonly bytes: Uint8Array },
): Promise<void> {
  const key = receiptKey(receipt.name, receipt.hubIk)
  const before = await core.store.read("receipt", key)
  const first = before ? decodeRow<ReceiptRow>(before).first : receipt.bytes
  core.store.shelf("receipt").write(key, encodeRow({ first, latest: receipt.bytes }))
}

/** Stages two bundles with one seq, which prove a fault of their signer (BUNDLE-23). */
export function keepBundles(core: Core, name: string, bundle: Uint8Array): void {
  const before = core.peer(openBundle(bundle)).bundle // the name may have been forgotten meanwhile
  if (before) core.store.shelf("evidence").write(name, encodeRow({ before, bundle }))
}

/** What is kept about a name. */
export async function readEvidence(core: Core, name: string): Promise<Evidence> {
  const receipts: Evidence["receipts"][number][] = []
  for await (const [key, value] of core.store.shelf("receipt").scan(`${name}/`)) {
    const hub = key.slice(key.lastIndexOf("/") + 1)
    receipts.push({ hub, ...decodeRow<ReceiptRow>(value) })
  }
  const row = await core.store.read("evidence", name)
  const bundles = row ? Object.values(decodeRow<EvidenceRow>(row)) : []
  return { receipts, bundles: bundles as Uint8Array[] }
}
