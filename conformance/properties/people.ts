// Identities, bundles and one-time keys for properties, made by the reference or by the driver.

import type { JsonObject } from "../driver.ts"
import { array, bstr, NULL, tstr, uint } from "../vectorgen/raw.ts"
import { NOW } from "./gen.ts"
import type { Performer } from "./trial.ts"

/** An agent of a property: what its operations take as `identity`, and its public half. */
export interface Person {
  readonly identity: JsonObject & { readonly name: string; readonly ikSecret: string }
  readonly peer: JsonObject & { readonly name: string; readonly ik: string }
  readonly dk: string
  /** Seed of its draws. */
  readonly seed: string
}

/** An own bundle as operations take it. */
export type OwnBundle = JsonObject & {
  readonly bundle: string
  readonly ref: string
  readonly prekeys: readonly { readonly suite: number; readonly x: string; readonly kem: string }[]
}

/** An own one-time key as operations take it. */
export type OwnOneTime = JsonObject & { readonly key: string; readonly ref: string }

/** The agent of a seed: its secrets are the named draws of SPEC §4. */
export async function person(by: Performer, name: string, seed: string): Promise<Person> {
  const draw = async (what: string): Promise<string> =>
    (await by.ok("suite.draw", { seed, name: what, i: 0, length: 32 }))["bytes"] as string
  const [ikSecret, dkSecret] = [await draw("identity"), await draw("dh")]
  const { ik, dk } = await by.ok("identity.create", { name, seed })
  const peer = { name, ik: ik as string }
  return { identity: { name, ikSecret, dkSecret }, peer, dk: dk as string, seed }
}

/** A bundle of a person. */
export async function bundleOf(
  by: Performer,
  who: Person,
  suites: readonly number[],
  extra: JsonObject = {},
): Promise<OwnBundle> {
  const args = { identity: who.identity, seed: who.seed, seq: NOW, now: NOW, suites, ...extra }
  return (await by.ok("bundle.create", args)) as OwnBundle
}

/** A one-time key of a person. */
export async function oneTimeOf(by: Performer, who: Person, suite: number): Promise<OwnOneTime> {
  const args = { identity: who.identity, seed: who.seed, suite, now: NOW }
  return (await by.ok("bundle.createOneTime", args)) as OwnOneTime
}

/** A prekey of a bundle body. */
export interface Prekey {
  readonly suite: number
  readonly x: string
  readonly ek: string | null
}

/** Fields of a bundle body, to be written by hand. */
export interface Body {
  readonly name: string
  readonly ik: string
  readonly dk: string
  readonly seq: number
  readonly notBefore: number
  readonly notAfter: number
  readonly flags: number
  readonly prekeys: readonly Prekey[]
}

/** Hex of a bundle body; `label` may be another one. */
export function writeBody(body: Body, label: string = "AgentMesh/1 bundle"): string {
  const prekeys = body.prekeys.map(({ suite, x, ek }) =>
    array(uint(suite), bstr(x), ek === null ? NULL : bstr(ek)),
  )
  return array(
    ...[tstr(label), tstr(body.name), bstr(body.ik), bstr(body.dk), uint(body.seq)],
    ...[uint(body.notBefore), uint(body.notAfter), uint(body.flags), array(...prekeys)],
  )
}

/** A signed body. */
export async function signed(by: Performer, body: string, ikSecret: string): Promise<string> {
  const { signature } = await by.ok("suite.sign", { seed: ikSecret, message: body })
  return array(bstr(body), bstr(signature as string))
}
