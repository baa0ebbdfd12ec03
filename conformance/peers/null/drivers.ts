// Six drivers that implement nothing. Each of them has to score 0: whoever passes anything with
// them has found a hole in the suite.

import type { Driver, JsonObject, Reply } from "../../driver.ts"

const HELLO = {
  ...{ driver: 1, spec: "AgentMesh/1", impl: { name: "null" }, roles: ["agent", "hub"], tier: 2 },
  ...{ suites: [1, 2], caps: ["deterministic", "trace", "digest"] },
} as const

function nothing(answer: (op: string, args: JsonObject) => Reply): () => Driver {
  return () => ({ call: (op, args) => (op === "hello" ? { ok: HELLO } : answer(op, args)) })
}

/** Every name of a result, each with a value of a likely form. */
const LIES: JsonObject = {
  ...{ handle: "h", digest: "00".repeat(32), shared: "00".repeat(32), okm: "00".repeat(32) },
  ...{
    bytes: "80",
    value: ["text", "a lie"],
    ref: "00".repeat(32),
    seq: 0,
    suites: [1],
    contents: [],
  },
  ...{ th: "00".repeat(32), sid: "00".repeat(16), rk: "00".repeat(32), envelope: "82", view: "87" },
  ...{ fingerprint: "0000:0000:0000:0000:0000:0000:0000:0000", frames: [], closed: [], trace: [] },
}

/** The null drivers by name. */
export const NULL_DRIVERS: Readonly<Record<string, () => Driver>> = {
  "reject-all": nothing(() => ({ reject: { code: "envelope/open" } })),
  "accept-all": nothing(() => ({ ok: {} })),
  echo: nothing((_op, args) => ({ ok: args })),
  silent: nothing(() => ({})),
  crash: nothing(() => {
    throw new Error("crash")
  }),
  liar: nothing(() => ({ ok: LIES })),
}
