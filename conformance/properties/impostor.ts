// Key-compromise impersonation: a first envelope under another's name.

import { replaceItem } from "../cbor.ts"
import { bstr } from "../vectorgen/raw.ts"
import { type Contact, prekeyOf, sessionArgs } from "./flight.ts"
import { content } from "./forge.ts"
import { NOW } from "./gen.ts"
import { person } from "./people.ts"
import type { Oracle } from "./trial.ts"

/**
 * A first envelope that says it is from alice, made with the responder's keys and one's own
 * ephemeral: everything but alice's identity key (key-compromise impersonation).
 */
export async function posing(
  oracle: Oracle,
  it: Contact,
  evil: string,
  ownDk: boolean,
): Promise<string> {
  const mallory = await person(oracle, it.alice.peer.name, evil)
  const made = await oracle.ok("handshake.initiate", {
    ...{ identity: mallory.identity, seed: mallory.seed, bundle: it.bundle.bundle, now: NOW },
    ...{ oneTime: it.oneTime?.key ?? null, suites: [it.suite], remembered: 0, trace: true },
  })
  let init = replaceItem(made["init"] as string, [4], bstr(it.alice.peer.ik))
  if (!ownDk) init = replaceItem(init, [5], bstr(it.alice.dk))
  const traced = new Map(made["trace"] as unknown as readonly (readonly [string, string])[])
  const prekey = it.bundle.prekeys[0] as { x: string }
  // With the responder's prekey secret, DH1 is known for whatever dk stands in the init.
  const remote = ownDk ? mallory.dk : it.alice.dk
  const { shared } = await oracle.ok("suite.dh", { secret: prekey.x, remote })
  const dhs = ["dh2", "dh3", "dh4"].flatMap((name) => traced.get(name) ?? [])
  const ss = traced.get("ss")
  const derived = await oracle.ok("handshake.derive", {
    ...{ responder: it.bob.peer, init, dh: [shared as string, ...dhs], ...(ss ? { ss } : {}) },
  })
  const { th, sid, rk } = derived as Record<"th" | "sid" | "rk", string>
  const forged: Contact = { ...it, alice: { ...mallory, peer: it.alice.peer }, init, th, sid, rk }
  const { handle } = await oracle.ok("session.new", {
    ...sessionArgs(forged, "initiator"),
    remote: prekeyOf(it.bundle.bundle, it.suite),
  })
  const sealed = await oracle.ok("session.seal", {
    ...{ session: handle as string, contents: [content(9, "trust me")] },
  })
  return sealed["envelope"] as string
}
