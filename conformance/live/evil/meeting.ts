// Insiders and the agent: how the hub serves them, how they meet, how time passes meanwhile.

import type { Fate } from "./hub.ts"
import type { Insider, Line } from "./insider.ts"
import type { World } from "./world.ts"

/** The hub serves these insiders; it is honest with all others. */
export function serveInsiders(w: World, ...insiders: readonly Insider[]): void {
  w.hub.attack = {
    up: (frame) =>
      insiders.reduce<Fate>((fate, one) => (fate === frame ? one.up(frame) : fate), frame),
  }
}

/** Lets time pass in small steps, so that the link lives on; it comes back if it does not. */
export async function pass(w: World, seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 50) {
    await w.move(Math.min(50, left))
    await w.poll(8)
    if (!w.connected) {
      await w.move(2)
      await w.until(() => w.connected, "the agent connects again")
    }
  }
}

/** Lets time pass in steps that no request outlasts: the link stays. */
export async function slowly(w: World, seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 20) {
    await w.move(20)
    await w.poll(30)
  }
  await w.until(() => w.connected, "the agent is connected")
}

/** Takes the hub away, for as long as something lasts; the agent connects again afterwards. */
export async function away(w: World, meanwhile: () => Promise<void>): Promise<void> {
  const before = w.hub.attack
  w.hub.attack = {
    up: (_frame, link) => {
      link.cut()
      return null
    },
  }
  await w.cut()
  await meanwhile()
  w.hub.attack = before
  await back(w)
}

/** Waits until the agent is connected again. */
async function back(w: World): Promise<void> {
  if (!w.online) await w.connect()
  for (let i = 0; i < 4 && !w.connected; i++) {
    await w.move(61)
    await w.poll(200)
  }
  await w.until(() => w.connected, "the agent connects again")
}

/** An insider that has a session with the agent, which it has confirmed. */
export async function meetInsider(w: World, insider: Insider): Promise<Line> {
  await w.publishes()
  const id = await w.submit(insider.name, `hello ${insider.name}`)
  await w.until(() => insider.got.length > 0, "the agent writes to the insider")
  const line = insider.lines[0] as Line
  insider.say(line, insider.receiptOf(id, 1))
  await w.until(() => w.receipts.some((one) => one["id"] === id), "the receipt is told")
  return line
}
