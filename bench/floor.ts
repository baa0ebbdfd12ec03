// The floor of an operation: the primitives that it really executed, in order and with the same
// arguments, and nothing between them. They are recorded at the crypto backend and executed again.
//
// A key that was new to the process when it was recorded is new in each execution: importing it
// into OpenSSL is part of what cannot be avoided. Known keys stay known.

import { backend } from "#crypto"
import type { Backend } from "../src/crypto/backend.ts"

type Name = Exclude<keyof Backend, "name">
type Primitive = (...args: unknown[]) => unknown

const NAMES = (Object.keys(backend) as (keyof Backend)[]).filter((key) => key !== "name") as Name[]

/** Which arguments are keys. */
const KEYS: Partial<Record<Name, readonly number[]>> = {
  x25519Public: [0],
  x25519: [0, 1],
  ed25519Public: [0],
  ed25519Sign: [0],
  ed25519Verify: [0],
}

interface Call {
  readonly primitive: Primitive
  readonly args: readonly unknown[]
  /** Places of arguments that were new keys, and their number in the pool. */
  readonly fresh: readonly (readonly [place: number, index: number])[]
}

/** The recorded primitives of one operation. */
export interface Floor {
  /** Executes them. */
  readonly run: () => void
  /** How often each was called. */
  readonly counts: Readonly<Record<string, number>>
}

/** Records what `action` calls; it is run three times, the last of which counts. */
export function recordFloor(action: () => void): Floor {
  const methods = backend as unknown as Record<Name, Primitive>
  const originals = Object.fromEntries(NAMES.map((name) => [name, methods[name]])) as Record<
    Name,
    Primitive
  >
  const seen = new WeakSet<object>()
  let pool: Uint8Array[] = []
  let numbers = new Map<object, number>()
  let calls: Call[] = []
  let counts: Record<string, number> = {}
  let last = false

  const copyOf = (arg: unknown): unknown => (arg instanceof Uint8Array ? arg.slice() : arg)
  const note = (name: Name, args: readonly unknown[]): void => {
    counts[name] = (counts[name] ?? 0) + 1
    const keys = KEYS[name] ?? []
    const fresh: [number, number][] = []
    const kept = args.map((arg, place) => {
      if (!keys.includes(place)) return copyOf(arg)
      const key = arg as Uint8Array
      if (!last) seen.add(key)
      if (seen.has(key)) return key
      let index = numbers.get(key)
      if (index === undefined) {
        index = pool.push(key.slice()) - 1
        numbers.set(key, index)
      }
      fresh.push([place, index])
      return null
    })
    calls.push({ primitive: originals[name], args: kept, fresh })
  }
  for (const name of NAMES) {
    methods[name] = (...args) => {
      note(name, args)
      return originals[name](...args)
    }
  }
  try {
    for (let i = 0; i < 3; i++) {
      last = i === 2
      pool = []
      numbers = new Map()
      calls = []
      counts = {}
      action()
    }
  } finally {
    Object.assign(methods, originals)
  }
  return { run: replay(calls, pool), counts }
}

function replay(calls: readonly Call[], pool: readonly Uint8Array[]): () => void {
  const plans = calls.map(({ primitive, args, fresh }) => ({ primitive, args: [...args], fresh }))
  return () => {
    const keys = pool.map((key) => key.slice())
    for (const { primitive, args, fresh } of plans) {
      for (const [place, index] of fresh) args[place] = keys[index]
      primitive(...args)
    }
  }
}
