// Vectors of SPEC §11 hub: frames on a ready link.

import { cbor } from "./hub-play.ts"
import { type Add, ready } from "./hub-ready.ts"

/** Adds frames that end a link, and such that do not. */
export function frames(add: Add): void {
  const closing = (n: number, req: string, title: string, frame: string) => {
    const { play } = ready()
    const twin = play.steps.length - 1
    play.refuseFrame("1", "hub/malformed", frame, twin)
    play.ping("1")
    play.ping("2")
    add(
      n,
      "hub/malformed",
      req,
      `${title}: closed, other links live`,
      play,
      "nothing after it can be trusted to be a frame",
    )
  }
  closing(240, "HUB-16 HUB-20", "garbage on a ready link", "ff")
  closing(241, "HUB-20", "a frame cut off", "8210")
  closing(242, "HUB-20", "no array", "10")
  closing(243, "HUB-20", "an array that begins with text", cbor(["ping", 1]))
  closing(244, "HUB-24", "rid 0", cbor([16, 0]))
  closing(245, "HUB-24", "rid 2^32", cbor([16, 2 ** 32]))
  closing(246, "HUB-24", "rid as text", cbor([16, "1"]))

  const staying = (
    n: number,
    code: string,
    req: string,
    title: string,
    frame: string,
    why: string,
  ) => {
    const { play } = ready()
    play.refuseFrame("1", code, frame, play.steps.length + 1)
    play.ping("1")
    add(n, code, req, `${title}: the link stays`, play, why)
  }
  const open = "later versions can ask for more"
  staying(250, "hub/unknown-request", "HUB-23", "type 99", cbor([99, 1]), open)
  staying(251, "hub/unknown-request", "HUB-23", "type 18", cbor([18, 1, "x"]), open)
  staying(
    252,
    "hub/unknown-request",
    "HUB-23",
    "a second auth",
    cbor([3, 0, "alice", new Uint8Array(32), new Uint8Array(64)]),
    open,
  )
  staying(253, "hub/unknown-request", "HUB-23", "an OK from an agent", cbor([20, 1, null]), open)
  staying(254, "hub/unknown-request", "HUB-23", "type 99 with rid 0", cbor([99, 0]), open)
  const form = "a frame has one shape"
  staying(255, "hub/malformed", "HUB-25", "ping of three items", cbor([16, 9, null]), form)
  staying(
    256,
    "hub/malformed",
    "HUB-25",
    "send with a mid of 15 bytes",
    cbor([13, 9, "bob", new Uint8Array(15), new Uint8Array(3)]),
    form,
  )
  staying(257, "hub/malformed", "HUB-25", "ack of nothing", cbor([14, 9, []]), form)
  staying(
    258,
    "hub/malformed",
    "HUB-25",
    "get-bundle with five suites",
    cbor([12, 9, "bob", [1, 2, 3, 4, 5]]),
    form,
  )
  staying(259, "hub/malformed", "HUB-25", "put-one-time with drop 2", cbor([11, 9, 2, []]), form)
  staying(260, "hub/malformed", "HUB-25", "put-bundle of a text", cbor([10, 9, "bundle"]), form)
}
