// Reference driver, SPEC §12: agents without a hub, under a hand-driven clock.

import { exportState, importState } from "../../../src/agent/backup.ts"
import { backupOf, forgetPeer } from "../../../src/agent/contents.ts"
import { checkFingerprint } from "../../../src/agent/trust.ts"
import { createOneTimeKey } from "../../../src/bundle.ts"
import { toUtf8 } from "../../../src/bytes.ts"
import { AgentMeshError } from "../../../src/errors.ts"
import { fingerprint, parseAddress } from "../../../src/identity.ts"
import { ed25519Public, sha256 } from "../../../src/suite.ts"
import { bytesArg, hex, numberArg, type Ops, suiteArg, textArg } from "./args.ts"
import { TestDatabase } from "./database.ts"
import { DrivenAgent, secretOf } from "./driven-agent.ts"

export const agentOps: Ops = {
  async "agent.new"(args, handles) {
    const agent = await DrivenAgent.open(args, new TestDatabase())
    return { handle: handles.add("agent", agent), ...agent.about }
  },
  async "agent.clock"(args, handles) {
    await handles.get<DrivenAgent>(args, "agent").moveClock(numberArg(args, "now"))
    return { moved: true }
  },
  "agent.trust"(args, handles) {
    const expected = args["fingerprint"] === undefined ? null : textArg(args, "fingerprint")
    return handles.get<DrivenAgent>(args, "agent").connect(bytesArg(args, "bundle"), expected)
  },
  async "agent.oneTime"(args, handles) {
    const { core, engine } = handles.get<DrivenAgent>(args, "agent").parts
    const key = await engine.run(() => {
      const { own, environment, now, store } = core
      const made = createOneTimeKey(own, suiteArg(args), now, environment.draw)
      store.put("key/one-time", hex(made.ref), made)
      return made
    })
    return { key: hex(key.bytes), ref: hex(key.ref) }
  },
  async "agent.verify"(args, handles) {
    const { core, engine } = handles.get<DrivenAgent>(args, "agent").parts
    const { name, fingerprint: expected } = parseAddress(textArg(args, "address"))
    const view = await engine.run(() => {
      const pin = core.pin(name)
      if (!pin) throw new AgentMeshError("agent/no-hub", "not pinned")
      checkFingerprint(pin, expected)
      core.store.put("pin", name, { ...pin, trust: "verified" })
      return core.view(pin)
    })
    return { trust: view.trust }
  },
  async "agent.forget"(args, handles) {
    const { core, engine } = handles.get<DrivenAgent>(args, "agent").parts
    await engine.run(() => forgetPeer(core, textArg(args, "name")))
    return { forgotten: true }
  },
  "agent.send"(args, handles) {
    const re = args["re"] === undefined ? undefined : textArg(args, "re")
    const agent = handles.get<DrivenAgent>(args, "agent")
    return agent.seal(textArg(args, "to"), bytesArg(args, "body"), re)
  },
  "agent.receive"(args, handles) {
    const from = args["from"] === undefined ? undefined : textArg(args, "from")
    return handles.get<DrivenAgent>(args, "agent").receive(bytesArg(args, "envelope"), from)
  },
  "agent.snapshot"(args, handles) {
    const { db } = handles.get<DrivenAgent>(args, "agent")
    return { handle: handles.add("snapshot", new Map(db.rows)) }
  },
  async "agent.restore"(args, handles) {
    const rows = handles.get<ReadonlyMap<string, Uint8Array>>(args, "snapshot")
    const agent = await DrivenAgent.open(args, new TestDatabase(rows))
    return { handle: handles.add("agent", agent), ...agent.about }
  },
  "agent.export"(args, handles) {
    const { parts, draw } = handles.get<DrivenAgent>(args, "agent")
    return { bytes: hex(exportState(backupOf(parts.core), secretOf(args), draw)) }
  },
  "agent.import"(args) {
    const state = importState(bytesArg(args, "bytes"), secretOf(args))
    const { name, ikSecret, seq, peers } = state
    const print = fingerprint(ed25519Public(ikSecret))
    const known = peers.map(({ name: peer, trust, suite }) => `${peer} ${trust} ${suite}`)
    return { name, fingerprint: print, seq, peers: known }
  },
  "agent.digest"(args, handles) {
    const { db } = handles.get<DrivenAgent>(args, "agent")
    const all = [...db.rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, row]) => `${key} ${hex(row)}`)
    return { digest: hex(sha256(toUtf8(all.join("\n")))) }
  },
}
