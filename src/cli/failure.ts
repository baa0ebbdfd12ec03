// What a command that fails says, and its exit code.

import { AgentMeshError, type ErrorCode } from "../errors.ts"

/** Exit codes of `agentmesh`. */
export const EXIT = { ok: 0, failed: 1, usage: 2, security: 3 } as const

/** A failure with its exit code and what to do next. */
export class Failure extends Error {
  readonly exit: number
  readonly advice: string
  /** Code of the closed list of SPEC §13, if there is one. */
  readonly code: ErrorCode | undefined

  /** @param exit - One of {@link EXIT}. */
  constructor(exit: number, message: string, advice: string = "", code?: ErrorCode) {
    super(message)
    this.exit = exit
    this.advice = advice
    this.code = code
  }
}

/** A mistake on the command line. */
export function usage(message: string, advice: string = ""): Failure {
  return new Failure(EXIT.usage, message, advice)
}

const SECURITY =
  /^(identity\/(changed|fingerprint|untrusted)|suite\/|bundle\/|handshake\/|envelope\/|session\/|hub\/auth-failed)/
const USAGE = /^(identity\/name|agent\/payload)$/

/** The exit code for a code of SPEC §13. */
export function exitOf(code: ErrorCode): number {
  if (SECURITY.test(code)) return EXIT.security
  return USAGE.test(code) ? EXIT.usage : EXIT.failed
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  "identity/changed":
    "ask the peer, by other means, for its fingerprint; if it is right: agentmesh trust NAME#FINGERPRINT --replace",
  "identity/fingerprint":
    "this is not who you meant, or the address has an error in it; ask the peer what `agentmesh id` prints; if it has a new key: agentmesh trust NAME#FINGERPRINT --replace",
  "identity/untrusted":
    "compare fingerprints, then agentmesh verify NAME#FINGERPRINT; or see agentmesh trust",
  "identity/name": "names have 1 to 64 characters: a-z and 0-9, after the first also . _ -",
  "suite/downgrade":
    "the peer offers less than before; ask it why, then agentmesh trust NAME --forget",
  "hub/auth-failed":
    "another hub answers at this address than before; if it was replaced on purpose: agentmesh trust --forget-hub",
  "hub/name-taken":
    "another key has this name at the hub; choose another with --as, or use the store or export that has the key",
  "hub/no-such-agent":
    "check the name (agentmesh peers --all lists those at the hub); the peer has to connect once, e.g. with agentmesh listen",
  "hub/unreachable":
    "start a hub with `agentmesh hub`, or name another with --hub or AGENTMESH_HUB; agentmesh doctor tells more",
  "hub/replaced": "another process uses this identity on another machine or copy; stop one of them",
  "agent/timeout": "the peer may be offline; --timeout waits longer",
  "agent/store-locked":
    "stop the other process, or use another identity with --as NAME; agentmesh doctor tells more",
  "agent/store-corrupt":
    "wrong passphrase, or damage; a store is restored with agentmesh import FILE --as NAME after moving the damaged one away",
  "agent/undelivered": "the message may have arrived; ask the peer, or send it again",
  "bundle/expired":
    "check the clock of this machine; else the peer has to connect to its hub again",
  "bundle/not-yet-valid": "check the clocks of both machines",
}

/** What an error of the hub means: it sends only its number. */
const HUB: Partial<Record<ErrorCode, string>> = {
  "hub/version": "this hub speaks another version of the protocol",
  "hub/auth-failed":
    "the proof of identity failed: this is another hub, or another key, than before",
  "hub/name-taken": "the name belongs to another key at this hub",
  "hub/no-such-agent": "there is no agent of this name at the hub",
  "hub/mailbox-full": "the mailbox of the recipient is full",
  "hub/too-large": "it is larger than this hub takes",
  "hub/rate-limited": "too many requests; the hub asks to wait",
  "hub/replaced": "another connection of this identity took over",
  "hub/internal": "the hub could not store it",
}

/** Anything that was thrown, as a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof AgentMeshError) {
    const { code, message } = error
    const what = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message
    const said = what.startsWith("the hub answered") ? (HUB[code] ?? what) : what
    return new Failure(exitOf(code), said, ADVICE[code] ?? "", code)
  }
  if (error instanceof TypeError || error instanceof RangeError) return usage(error.message)
  return new Failure(EXIT.failed, error instanceof Error ? error.message : String(error))
}
