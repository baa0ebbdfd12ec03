// SPEC §11 hub over TCP, the agent's side: opens links to a hub elsewhere.

/// <reference types="node" preserve="true" />

import { connect, isIP, type Socket } from "node:net"
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls"
import { AgentMeshError } from "../errors.ts"
import type { FrameLink, Hub, LinkEvents } from "../hub/hub.ts"
import { parseAddress } from "../identity.ts"
import { FrameReader, FrameWriter } from "./framing.ts"

/** The port of a hub where none is given. */
export const DEFAULT_PORT = 7700

/** Where a hub listens. */
export interface HubPlace {
  readonly host: string
  /** By default {@link DEFAULT_PORT}. */
  readonly port?: number
}

/** Where a hub is, and what it must prove. */
export interface NetworkHubOptions extends HubPlace {
  /** Other hubs of the same cluster: each attempt to connect goes to the next. */
  readonly others?: readonly HubPlace[]
  /** The fingerprint that the hub's key must have; without it the first key seen is pinned. */
  readonly fingerprint?: string
  /** TLS around the link; options as of `tls.connect`, or true for its defaults. */
  readonly tls?: boolean | TlsOptions
  /** Milliseconds until a connection that does not come about is given up; by default 10,000. */
  readonly connectTimeout?: number
}

function checkFingerprint(fingerprint: string | undefined): void {
  if (fingerprint === undefined) return
  try {
    parseAddress(`hub#${fingerprint}`)
  } catch (cause) {
    const form = "eight groups of four lower-case hex digits, joined by colons"
    throw new TypeError(`the fingerprint of a hub expected ${form}, got ${fingerprint}`, { cause })
  }
}

/**
 * Reads `agentmesh://host:port#fingerprint`, `host:port` or `host`. Hubs of a cluster are listed:
 * `agentmesh://host:port,host:port#fingerprint`; the first is what is returned, and the others as
 * `others`.
 *
 * @throws TypeError if the address has none of these forms.
 */
export function parseHubAddress(address: string): NetworkHubOptions {
  const [, places = "", fingerprint] =
    /^(?:agentmesh:\/\/)?([^/#]*)\/?(?:#(.*))?$/.exec(address) ?? []
  const [first, ...others] = places.split(",").map((place) => parsePlace(place, address))
  checkFingerprint(fingerprint)
  return {
    ...(first as HubPlace),
    ...(others.length === 0 ? {} : { others }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  }
}

function parsePlace(place: string, address: string): HubPlace {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?@[\]]+)(?::(\d{1,5}))?$/.exec(place) ?? []
  const number = port === undefined ? DEFAULT_PORT : Number(port)
  if (host === undefined || number === 0 || number > 65_535) {
    throw new TypeError(`expected agentmesh://host:port#fingerprint, got ${address}`)
  }
  return { host: host.startsWith("[") ? host.slice(1, -1) : host, port: number }
}

function spell({ host, port = DEFAULT_PORT }: HubPlace): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
}

/** A hub that is reached over TCP: what agents take as `hub` (SPEC §11). */
export class NetworkHub implements Hub {
  /** `host:port`, or several; what agents keep the hub's key under. */
  readonly address: string
  readonly fingerprint: string | undefined
  readonly #options: NetworkHubOptions
  readonly #places: readonly HubPlace[]
  /** The place that is tried next. */
  #next = 0

  /**
   * @param where - `agentmesh://host:port#fingerprint`, `host:port`, or options.
   * @throws TypeError if the address or the fingerprint has another form.
   */
  constructor(where: string | NetworkHubOptions) {
    const options = typeof where === "string" ? parseHubAddress(where) : where
    const { host, port = DEFAULT_PORT, others = [], fingerprint } = options
    checkFingerprint(fingerprint)
    this.#options = options
    this.#places = [{ host, port }, ...others]
    this.address = this.#places.map(spell).join(",")
    this.fingerprint = fingerprint
    // Agents that begin together spread over the hubs of a cluster.
    this.#next = Math.floor(Math.random() * this.#places.length)
  }

  /**
   * Connects, to the next place of the list that takes connections; the link is up when the promise
   * resolves.
   */
  async open(events: LinkEvents): Promise<FrameLink> {
    const first = this.#next++
    for (let i = 0; ; i++) {
      const place = this.#places[(first + i) % this.#places.length] as HubPlace
      try {
        return await this.#connect(place, events)
      } catch (error) {
        if (i === this.#places.length - 1) throw error
      }
    }
  }

  #connect(place: HubPlace, events: LinkEvents): Promise<FrameLink> {
    const { tls, connectTimeout = 10_000 } = this.#options
    const { host, port = DEFAULT_PORT } = place
    const named = isIP(host) === 0 ? { servername: host } : {}
    return new Promise((resolve, reject) => {
      const socket = tls
        ? connectTls({ ...named, ...(tls === true ? {} : tls), host, port })
        : connect({ host, port })
      socket.setTimeout(connectTimeout, () => {
        socket.destroy(new Error(`no connection to ${spell(place)} within ${connectTimeout} ms`))
      })
      socket.once("error", reject)
      socket.once("close", () => reject(new Error(`${spell(place)} closed the connection`)))
      socket.once(tls ? "secureConnect" : "connect", () => {
        socket.removeAllListeners("error").removeAllListeners("close").setTimeout(0)
        socket.setNoDelay(true).setKeepAlive(true, 60_000)
        resolve(new SocketLink(socket, events))
      })
    })
  }

  /** Keeps the process alive while a client waits before it connects again. */
  hold(): () => void {
    const timer = setInterval(() => undefined, 0x7fff_ffff)
    return () => clearInterval(timer)
  }
}

/** A link on a socket. */
class SocketLink implements FrameLink {
  readonly #socket: Socket
  readonly #writer: FrameWriter
  #open = true

  constructor(socket: Socket, events: LinkEvents) {
    this.#socket = socket
    this.#writer = new FrameWriter(socket)
    const reader = new FrameReader()
    let cause: Error | undefined
    socket.on("data", (chunk: Uint8Array) => {
      const fault = reader.push(chunk, (frame) => {
        if (this.#open) events.frame(frame)
        return this.#open
      })
      if (fault === null) return
      cause = new AgentMeshError("hub/malformed", "the hub sent a frame of impossible length")
      socket.destroy()
    })
    socket.on("error", (error) => {
      cause = error
    })
    socket.on("close", () => {
      if (!this.#open) return
      this.#open = false
      events.closed(cause)
    })
  }

  send(frame: Uint8Array): void {
    if (this.#open) this.#writer.send(frame)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#writer.flush()
    this.#socket.end()
    this.#socket.resume()
    // A hub that does not close its side must not hold the process.
    this.#socket.setTimeout(2_000, () => this.#socket.destroy())
  }
}
