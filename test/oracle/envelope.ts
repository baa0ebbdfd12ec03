// SPEC §9 again: padding, the signed array, opening.

import { decode } from "cbor2"
import { C } from "./cbor.ts"
import { Expand, Extract, H, label, open, Verify } from "./crypto.ts"

/** What both ends know of an envelope. `ik` null: the signature is not checked here. */
export interface Known {
  readonly suite: number
  readonly th: Buffer
  readonly mk: Buffer
  readonly envelope: Buffer
  readonly sender: { readonly name: string; readonly ik: Buffer | null }
  readonly recipient: string
}

export interface Opened {
  readonly key: Buffer
  readonly nonce: Buffer
  readonly aad: Buffer
  readonly padded: Buffer
  readonly inner: Buffer
  readonly sig: Buffer
  readonly contents: readonly Buffer[]
}

/** Length of P for an inner of `length` bytes. */
export function paddedLength(length: number): number {
  const L = length + 1
  const E = Math.floor(Math.log2(L))
  const S = Math.floor(Math.log2(E)) + 1
  const unit = 2 ** Math.max(0, E - S)
  return Math.max(256, L < 2 ? L : Math.ceil(L / unit) * unit)
}

export function unpad(padded: Buffer): Buffer | null {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  if (padded[end] !== 0x80 || paddedLength(end) !== padded.length) return null
  return padded.subarray(0, end)
}

/** key and nonce of an envelope. */
export function sealKey(suite: number, th: Buffer, mk: Buffer, guard: Buffer): Buffer {
  return Expand(Extract(guard, mk), C([label("seal"), suite, th]), 44)
}

export const contentHash = (content: Uint8Array): Buffer => H(C([label("content"), content]))

/** C of what the signature covers. */
export function signedBytes(
  known: Omit<Known, "mk" | "envelope">,
  header: Buffer,
  hashes: readonly Buffer[],
): Buffer {
  const { suite, th, sender, recipient } = known
  return C([label("message"), suite, th, sender.name, recipient, header, hashes])
}

/** The inner of an envelope in canonical form; null if it does not open. */
export function openInner(known: Known): Opened | null {
  const [header, ct] = (decode(known.envelope) as [Uint8Array, Uint8Array]).map((part) =>
    Buffer.from(part),
  ) as [Buffer, Buffer]
  const guard = Buffer.from((decode(header) as Uint8Array[])[5] as Uint8Array)
  const okm = sealKey(known.suite, known.th, known.mk, guard)
  const [key, nonce] = [okm.subarray(0, 32), okm.subarray(32)]
  const aad = C([label("envelope"), known.th, header])
  const padded = open(key, nonce, aad, ct)
  const inner = padded && unpad(padded)
  if (!padded || !inner) return null
  try {
    const [contents, sig] = decode(inner) as [Uint8Array[], Uint8Array]
    if (!C([contents, sig]).equals(inner) || contents.length < 1 || contents.length > 64)
      return null
    if (sig.length !== 64) return null
    const signed = signedBytes(known, header, contents.map(contentHash))
    if (known.sender.ik && !Verify(known.sender.ik, signed, sig)) return null
    return {
      key,
      nonce,
      aad,
      padded,
      inner,
      sig: Buffer.from(sig),
      contents: contents.map((item) => Buffer.from(item)),
    }
  } catch {
    return null
  }
}
