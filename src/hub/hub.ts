// SPEC §11 hub: what agents and hubs know of each other: something that opens links.

/** Sends frames to a hub. */
export interface FrameLink {
  /** Sends a frame, without its length. */
  send(frame: Uint8Array): void
  close(): void
}

/** What a link reports. */
export interface LinkEvents {
  /** A frame came in, without its length; the receiver may keep it. */
  frame(bytes: Uint8Array): void
  /** The link is gone; reported once, and not after an own `close`. */
  closed(error?: Error): void
}

/** A hub as agents see it: something that opens links. */
export interface Hub {
  /** What the agent keeps the hub's key under, such as "local" or "host:port". */
  readonly address: string
  /** The fingerprint that the hub's key must have. */
  readonly fingerprint?: string | undefined
  /** A link in process cannot fall silent: it needs no PING. */
  readonly inProcess?: boolean
  /** Keeps the process alive while a client waits before it connects again; returns the release. */
  hold?(): () => void
  /** Opens a link; rejects if the hub cannot be reached. */
  open(events: LinkEvents): Promise<FrameLink>
}
