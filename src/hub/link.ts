// SPEC §11 hub: one link at the hub. Pure: a frame comes in, what to do comes out.

import type { Value } from "../encoding.ts"
import { AgentMeshError } from "../errors.ts"
import type { Peer } from "../identity.ts"
import type { Draw } from "../suite.ts"
import { type HubSettings, retryAfterFor } from "./decision.ts"
import {
  type AuthContext,
  decodeFrame,
  encodeError,
  FRAME,
  frameHash,
  HUB_VERSION,
  type HubErrorCode,
  readHello,
  signWelcome,
  verifyAuth,
} from "./frames.ts"
import type { Asked } from "./machine.ts"
import { isRequest, readRequest, ridOf } from "./requests.ts"

/** State of a link: `new`, `greeted`, then `binding` until the name is durable, then `ready`. */
export type LinkState =
  | { readonly phase: "new" }
  | { readonly phase: "greeted"; readonly context: AuthContext }
  | { readonly phase: "binding"; readonly peer: Peer }
  | { readonly phase: "ready"; readonly peer: Peer; readonly tokens: number; readonly last: number }
  | { readonly phase: "closed" }

/** What follows from a frame. */
export interface LinkStep {
  readonly state: LinkState
  /** A frame to send at once. */
  readonly send?: Uint8Array
  /** A request to decide, with its id. */
  readonly asked?: Asked
  readonly rid?: number
  /** Whether the link closes once all before has been answered. */
  readonly close?: boolean
}

/** The first state of a link. */
export const NEW_LINK: LinkState = { phase: "new" }

const CLOSED: LinkState = { phase: "closed" }

/** The state of a link whose name has just become durable. */
export function readyLink(peer: Peer, settings: HubSettings, now: number): LinkState {
  return { phase: "ready", peer, tokens: 2 * settings.limits.requestsPerSecond, last: now }
}

/** Ends a link that is not ready with an error. */
function end(code: HubErrorCode): LinkStep {
  return { state: CLOSED, send: encodeError(0, code, retryAfterFor(code)), close: true }
}

/**
 * Takes one frame of a link.
 *
 * @param frame - The frame without its length.
 * @param now - Unix time in seconds.
 */
export function receiveFrame(
  state: LinkState,
  frame: Uint8Array,
  settings: HubSettings,
  now: number,
  draw: Draw,
): LinkStep {
  if (state.phase === "closed") return { state }
  let value: readonly [number, ...Value[]]
  try {
    value = decodeFrame(frame)
  } catch {
    return failed(state, "hub/malformed") // HUB-20
  }
  if (state.phase === "ready") return receiveRequest(state, value, settings, now)
  if (state.phase === "new" && value[0] === FRAME.hello) return greet(frame, value, settings, draw)
  if (state.phase === "greeted" && value[0] === FRAME.auth) return authenticate(state, value)
  return failed(state, "hub/auth-required") // HUB-21
}

/** An error after which the link closes, in the order of the answers before it. */
export function failed(state: LinkState, code: HubErrorCode, rid: number = 0): LinkStep {
  if (state.phase === "closed") return { state }
  if (state.phase === "new" || state.phase === "greeted") return end(code)
  return { state: CLOSED, asked: { type: "refuse", code }, rid, close: true }
}

function greet(
  frame: Uint8Array,
  value: readonly [number, ...Value[]],
  settings: HubSettings,
  draw: Draw,
): LinkStep {
  let versions: readonly number[]
  try {
    versions = readHello(value).versions
  } catch {
    return end("hub/malformed") // HUB-25
  }
  if (!versions.includes(HUB_VERSION)) return end("hub/version") // HUB-26
  const helloHash = frameHash(frame)
  const { key, limits } = settings
  const welcome = signWelcome(key, helloHash, draw("snonce", 32), limits) // HUB-27
  const context = { helloHash, welcomeHash: frameHash(welcome), hubIk: key.ik }
  return { state: { phase: "greeted", context }, send: welcome }
}

function authenticate(
  state: LinkState & { readonly phase: "greeted" },
  value: readonly [number, ...Value[]],
): LinkStep {
  try {
    const peer = verifyAuth(value, state.context) // HUB-28
    return { state: { phase: "binding", peer }, asked: { type: "bind" }, rid: 0 }
  } catch (error) {
    if (!(error instanceof AgentMeshError)) throw error
    return end(error.code === "hub/malformed" ? "hub/malformed" : "hub/auth-failed") // HUB-25
  }
}

function receiveRequest(
  state: LinkState & { readonly phase: "ready" },
  value: readonly [number, ...Value[]],
  settings: HubSettings,
  now: number,
): LinkStep {
  const rate = settings.limits.requestsPerSecond
  const last = Math.max(state.last, now)
  const tokens = Math.min(2 * rate, state.tokens + rate * (last - state.last))
  const rid = ridOf(value)
  const { peer } = state
  const spent: LinkState = { phase: "ready", peer, tokens: Math.max(0, tokens - 1), last: now }
  if (tokens === 0) return refused(spent, "hub/rate-limited", rid) // HUB-22
  if (!isRequest(value[0])) return refused(spent, "hub/unknown-request", rid) // HUB-23
  if (rid === 0) return failed(spent, "hub/malformed") // HUB-24
  try {
    const asked = readRequest(value)
    return asked === null
      ? refused(spent, "hub/unknown-request", rid)
      : { state: spent, asked, rid }
  } catch {
    return refused(spent, "hub/malformed", rid) // HUB-25
  }
}

function refused(state: LinkState, code: HubErrorCode, rid: number): LinkStep {
  return { state, asked: { type: "refuse", code }, rid }
}
