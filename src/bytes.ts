// Byte strings: what every section needs and no section owns.

import {
  concatBytes as concat,
  hexToBytes as fromHex,
  bytesToHex as toHex,
} from "@noble/hashes/utils.js"

export { concat, fromHex, toHex }

const encoder = new TextEncoder()

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * Text of UTF-8 bytes; a byte order mark is kept (SPEC §3).
 *
 * @throws TypeError if the bytes are not UTF-8.
 */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** UTF-8 bytes of a text. */
export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Writes the UTF-8 bytes of a text, for which there is room; returns how many they are. */
export function writeUtf8(text: string, out: Uint8Array): number {
  return encoder.encodeInto(text, out).written
}

/** Whether two byte strings are equal, in time that depends on their lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/** Bytewise lexicographic order, a shorter prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  }
  return a.length - b.length
}

/** Overwrites secret bytes. JavaScript may hold copies: SPEC §15 promises nothing here. */
export function zeroize(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}
