// SPEC §13: one class, one closed list of codes.

/** Every failure that AgentMesh can report, as `section/what` (SPEC §13). The list is closed. */
export const ERROR_CODES = [
  "encoding/malformed",
  "encoding/profile",
  "encoding/shape",
  "encoding/limit",
  "suite/unsupported",
  "suite/bad-key",
  "suite/downgrade",
  "identity/name",
  "identity/changed",
  "identity/fingerprint",
  "identity/untrusted",
  "bundle/signature",
  "bundle/expired",
  "bundle/not-yet-valid",
  "bundle/lifetime",
  "bundle/flags",
  "bundle/prekeys",
  "bundle/one-time",
  "bundle/rollback",
  "bundle/equivocation",
  "bundle/name-mismatch",
  "handshake/unknown-prekey",
  "handshake/one-time-required",
  "handshake/replay",
  "handshake/limit",
  "handshake/self",
  "envelope/version",
  "envelope/open",
  "envelope/content",
  "session/unknown",
  "session/replay",
  "session/chain-limit",
  "hub/malformed",
  "hub/version",
  "hub/auth-required",
  "hub/auth-failed",
  "hub/name-taken",
  "hub/no-such-agent",
  "hub/bad-bundle",
  "hub/bundle-stale",
  "hub/mailbox-full",
  "hub/too-large",
  "hub/rate-limited",
  "hub/replaced",
  "hub/unknown-request",
  "hub/internal",
  "hub/unreachable",
  "agent/no-hub",
  "agent/payload",
  "agent/timeout",
  "agent/closed",
  "agent/undelivered",
  "agent/store-locked",
  "agent/store-corrupt",
] as const

/** One code of the closed list (SPEC §13). */
export type ErrorCode = (typeof ERROR_CODES)[number]

/**
 * The only error class of AgentMesh (SPEC §13).
 *
 * The message never holds key material or content; `cause` keeps what a library threw.
 */
export class AgentMeshError extends Error {
  override readonly name = "AgentMeshError"
  /** What failed; one of {@link ERROR_CODES}. */
  readonly code: ErrorCode

  /**
   * @param code - One code of the closed list.
   * @param message - What happened and, where it helps, what to do next; no secrets.
   * @param cause - The error of a library underneath, if any.
   */
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(`${code}: ${message}`, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * Throws {@link AgentMeshError} with `code` unless `condition` holds (SPEC §13).
 *
 * @param condition - What has to be true.
 * @param code - Reported otherwise.
 * @param message - Reported otherwise; no secrets.
 * @throws {@link AgentMeshError} `code`.
 */
export function require(condition: boolean, code: ErrorCode, message: string): asserts condition {
  if (!condition) throw new AgentMeshError(code, message)
}
