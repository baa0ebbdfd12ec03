// A cluster of hubs: how an operator writes where the shared store is.

/** What `nats://[user:password@]host:port[,host:port…]` says. */
export interface StoreAddress {
  /** As `host:port`. */
  readonly servers: readonly string[]
  /** The login, if the address has one: a user and a password, or a token. */
  readonly login:
    | { readonly user: string; readonly pass: string }
    | { readonly token: string }
    | Record<string, never>
  /** Whether `tls://` was asked for. */
  readonly tls: boolean
}

const SCHEME = /^(nats|tls):\/\//
const SERVER = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@]+)(?::\d{1,5})?$/

/** Reads the address of a store. @throws TypeError that does not repeat a password. */
export function parseStoreAddress(address: string): StoreAddress {
  const parts = address.split(",").map((part) => part.trim())
  const bare = parts.map((part) => part.replace(SCHEME, ""))
  const logins = bare.map((part) => part.slice(0, Math.max(0, part.lastIndexOf("@"))))
  const servers = bare.map((part) => part.slice(part.lastIndexOf("@") + 1))
  const given = [...new Set(logins.filter((login) => login !== ""))]
  if (!SCHEME.test(address) || !servers.every((server) => SERVER.test(server))) {
    const got = withoutLogin(address)
    throw new TypeError(`a store expected nats://host:port[,host:port], got ${got}`)
  }
  if (given.length > 1) throw new TypeError("a store expected one login for all its servers")
  const tls = parts.some((part) => part.startsWith("tls://"))
  return { servers, tls, login: given[0] === undefined ? {} : loginOf(given[0]) }
}

function loginOf(text: string): StoreAddress["login"] {
  const colon = text.indexOf(":")
  if (colon < 0) return { token: decodeURIComponent(text) }
  return {
    user: decodeURIComponent(text.slice(0, colon)),
    pass: decodeURIComponent(text.slice(colon + 1)),
  }
}

/** The address for people and logs: who may log in is not said. */
export function withoutLogin(address: string): string {
  return address.replace(/(^|,|\/\/)[^,/]*@/g, "$1")
}
