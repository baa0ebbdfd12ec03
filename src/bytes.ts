// Byte strings: what every section needs and no section owns.

import { bytesToHex, concatBytes as concat, hexToBytes as fromHex } from "@noble/hashes/utils.js"

export { concat, fromHex }

/** Codes of the digits of two hex digits each, high and low. */
const HIGH = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0").charCodeAt(0),
)
const LOW = Uint8Array.from({ length: 256 }, (_, byte) => (byte & 15).toString(16).charCodeAt(0))
/** Room for the digits of ids and of keys, overwritten each time. */
const DIGITS: Readonly<Record<number, number[]>> = {
  16: new Array<number>(32).fill(0),
  32: new Array<number>(64).fill(0),
}

/** Lower-case hex digits. Those of ids and keys are made at once, not digit by digit. */
export function toHex(bytes: Uint8Array): string {
  const digits = DIGITS[bytes.length]
  if (digits === undefined) return bytesToHex(bytes)
  for (let i = 0; i < bytes.length; i++) {
    digits[2 * i] = HIGH[bytes[i] as number] as number
    digits[2 * i + 1] = LOW[bytes[i] as number] as number
  }
  return String.fromCharCode.apply(null, digits)
}

/** The text of up to 16 ASCII bytes; null for others. A call into the runtime costs more. */
export function shortText(bytes: Uint8Array, from: number, to: number): string | null {
  if (to - from > 16) return null
  let text = ""
  for (let i = from; i < to; i++) {
    const code = bytes[i] as number
    if (code > 0x7f) return null
    text += String.fromCharCode(code)
  }
  return text
}

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
