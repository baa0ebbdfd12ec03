// A driver for an implementation of AgentMesh in Node: four operations of tier 0. Replace their
// bodies by calls of yours, and add operations one by one. Needs: npm install @noble/curves
//   npx -p agentmesh agentmesh-conformance run --driver "node driver.mjs"
import { createHash, createPublicKey, verify } from "node:crypto"
import { createInterface } from "node:readline"
import { ed25519, x25519 } from "@noble/curves/ed25519.js"

const reject = (code) => {
  throw { reject: { code } }
}
const unhex = (digits) => Buffer.from(digits, "hex")
const hex = (bytes) => Buffer.from(bytes).toString("hex")
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex")
const attempt = (code, action) => {
  try {
    return action()
  } catch {
    return reject(code)
  }
}
const checkIk = (key) => {
  const point = attempt("suite/bad-key", () => ed25519.Point.fromBytes(key)) // SUITE-9
  return point.isSmallOrder() ? reject("suite/bad-key") : key
}
const fingerprint = (ik) =>
  hash(checkIk(unhex(ik)))
    .slice(0, 32)
    .match(/..../g)
    .join(":")
const line = ({ name, ik }) => `${name} ${fingerprint(ik)}`
const operations = {
  "suite.dh"({ secret, remote }) {
    const u = BigInt(`0x${hex(unhex(remote).reverse())}`)
    if (u >= 2n ** 255n - 19n) reject("suite/bad-key") // SUITE-8; SUITE-12 is in x25519
    const dh = () => hex(x25519.getSharedSecret(unhex(secret), unhex(remote)))
    return { shared: attempt("suite/bad-key", dh) }
  },
  "suite.verify"({ key, message, signature }) {
    const jwk = { kty: "OKP", crv: "Ed25519", x: checkIk(unhex(key)).toString("base64url") }
    const ik = createPublicKey({ key: jwk, format: "jwk" })
    if (!verify(null, unhex(message), ik, unhex(signature))) reject("bundle/signature")
    return { digest: hash(unhex(key + message + signature)) }
  },
  "identity.fingerprint": ({ ik }) => ({ fingerprint: fingerprint(ik) }),
  "identity.safety": ({ a, b }) => ({ safety: [line(a), line(b)].sort().join("\n") }),
}
const hello = { driver: 1, spec: "AgentMesh/1", impl: { name: "my-agentmesh" }, roles: ["agent"] }
Object.assign(hello, { tier: 0, suites: [1], caps: [], ops: Object.keys(operations) })
for await (const text of createInterface({ input: process.stdin })) {
  const { id, op, args } = JSON.parse(text)
  let reply = { unsupported: { reason: `no ${op}` } }
  try {
    if (op === "hello") reply = { ok: hello }
    else if (Object.hasOwn(operations, op)) reply = { ok: operations[op](args) }
  } catch (error) {
    reply = error.reject ? error : { fault: { message: String(error) } }
  }
  console.log(JSON.stringify({ id, ...reply }))
}
