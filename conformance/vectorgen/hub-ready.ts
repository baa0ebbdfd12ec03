// Vectors of SPEC §11 hub: hubs at which agents are, and what these ask for.

import type { Request } from "../../src/hub/requests.ts"
import { HubPlay, signedParts } from "./hub-play.ts"
import { Person } from "./people.ts"

/** Adds one case. */
export type Add = (
  n: number,
  code: string,
  req: string,
  title: string,
  play: HubPlay,
  why?: string,
) => void

/** Mail of so many bytes `i`; its mid is made of them too. */
export const sending = (to: string, i: number, size: number = 40): Request => ({
  type: "send",
  to,
  mid: new Uint8Array(16).fill(i),
  envelope: new Uint8Array(size).fill(i),
})

/** GET_BUNDLE. */
export const asking = (name: string, suites: readonly number[] = [1]): Request => ({
  type: "getBundle",
  name,
  suites,
})

/** PUT_BUNDLE of these bytes. */
export const publishing = (bytes: Uint8Array): Request => ({
  type: "putBundle",
  bundle: signedParts(bytes),
})

/** PUT_ONE_TIME of these keys. */
export const stocking = (keys: readonly Uint8Array[], drop: boolean = false): Request => ({
  type: "putOneTime",
  drop,
  keys: keys.map(signedParts),
})

/** The agents of a case, their draws at the beginning. */
export function people(): { alice: Person; bob: Person; mallory: Person; carol: Person } {
  return {
    alice: new Person("alice"),
    bob: new Person("bob"),
    mallory: new Person("mallory"),
    carol: new Person("carol"),
  }
}

/** The same keys under another name. */
export function renamed(who: Person, name: string): Person {
  const copy = Object.create(Object.getPrototypeOf(who)) as Person
  return Object.assign(copy, who, { own: { ...who.own, name } })
}

/** A hub with alice on link 1 and bob on link 2, both with a bundle. */
export function ready(limits: Readonly<Record<string, number>> = {}): {
  play: HubPlay
  alice: Person
  bob: Person
} {
  const { alice, bob } = people()
  const play = new HubPlay(limits)
  play.login("1", alice)
  play.publish("1", alice)
  play.login("2", bob)
  play.publish("2", bob)
  return { play, alice, bob }
}
