// Mutations of valid bytes: some know nothing of the format, some change the CBOR tree inside.

import { decode, encode, type Value } from "../../src/encoding.ts"

/** Deterministic random numbers (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer from 0 to `below` - 1. */
  next(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }

  pick<T>(items: readonly T[]): T {
    return items[this.next(items.length)] as T
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next(256))
  }
}

const HEADS = [
  ...["00", "17", "18", "1818", "1900ff", "1a00010000", "1b001fffffffffffff"],
  ...["1b0020000000000000", "1bffffffffffffffff", "20", "40", "58ff", "5affffffff", "60"],
  ...[
    "7bffffffffffffffff",
    "80",
    "81",
    "98ff",
    "9affffffff",
    "9f",
    "a0",
    "a1",
    "bbffffffffffffffff",
  ],
  ...["bf", "c0", "f4", "f6", "f7", "f800", "f97e00", "fb7ff8000000000000", "ff", "1c", "efbbbf"],
].map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)))

const LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 1087, 1088, 1184, 8192]
const INTEGERS = [0, 1, 2, 3, 255, 999, 1000, 1001, 0xff00, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]

function splice(bytes: Uint8Array, at: number, cut: number, put: Uint8Array): Uint8Array {
  const out = new Uint8Array(at + put.length + Math.max(0, bytes.length - at - cut))
  out.set(bytes.subarray(0, at))
  out.set(put, at)
  out.set(bytes.subarray(at + cut), at + put.length)
  return out
}

/** One change that knows nothing of the format. */
function mutateBytes(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random.next(bytes.length + 1)
  switch (random.next(7)) {
    case 0: {
      const copy = bytes.slice()
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << random.next(8))
      return copy
    }
    case 1:
      return splice(bytes, at, 1, random.bytes(1))
    case 2:
      return bytes.slice(0, at)
    case 3:
      return splice(bytes, at, random.next(4), random.pick(HEADS))
    case 4:
      return splice(bytes, at, random.next(40), new Uint8Array(0))
    case 5:
      return splice(bytes, at, random.next(40), other.subarray(random.next(other.length + 1)))
    default:
      return splice(bytes, at, 0, random.bytes(1 + random.next(8)))
  }
}

function randomValue(random: Random, depth: number): Value {
  switch (random.next(depth > 3 ? 4 : 5)) {
    case 0:
      return random.pick(INTEGERS)
    case 1:
      return new Uint8Array(random.pick(LENGTHS)).fill(random.next(256))
    case 2:
      return random.pick(["", "a", "\ufeff", "é".repeat(40), "AgentMesh/1 bundle", "a#b"])
    case 3:
      return null
    default:
      return Array.from({ length: random.next(4) }, () => randomValue(random, depth + 1))
  }
}

/** One node of the tree changed; a byte string that holds CBOR may be changed inside. */
function mutateValue(random: Random, value: Value, depth: number = 1): Value {
  if (Array.isArray(value) && value.length > 0 && random.next(5) > 0) {
    const items: Value[] = [...value]
    const at = random.next(items.length)
    const choice = random.next(8)
    if (choice === 0) items.splice(at, 1)
    else if (choice === 1) items.splice(at, 0, randomValue(random, depth))
    else if (choice === 2) items.push(items[at] as Value)
    else items[at] = mutateValue(random, items[at] as Value, depth + 1)
    return items
  }
  if (value instanceof Uint8Array) {
    const inner = random.next(4) > 0 ? mutateTree(random, value) : null
    if (inner) return inner
    if (random.next(2) === 0) return mutateBytes(random, value, value)
    return new Uint8Array(random.pick(LENGTHS)).fill(random.next(256))
  }
  if (typeof value === "number" && random.next(2) === 0) {
    return Math.min(Math.max(value + random.next(5) - 2, 0), Number.MAX_SAFE_INTEGER)
  }
  return randomValue(random, depth)
}

/** The bytes with one node changed and encoded again; null if they hold no protocol value. */
function mutateTree(random: Random, bytes: Uint8Array): Uint8Array | null {
  try {
    const value = decode(bytes)
    return typeof value === "object" && value !== null ? encode(mutateValue(random, value)) : null
  } catch {
    return null
  }
}

/** Random bytes, or one or two mutations of a valid input. */
export function makeInput(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  if (random.next(8) === 0) return random.bytes(random.next(64))
  if (random.next(50) === 0) return random.pick(seeds)
  let bytes = random.pick(seeds)
  for (let i = 0; i <= random.next(2); i++) {
    const tree = random.next(2) === 0 ? mutateTree(random, bytes) : null
    bytes = tree ?? mutateBytes(random, bytes, random.pick(seeds))
  }
  return bytes
}
