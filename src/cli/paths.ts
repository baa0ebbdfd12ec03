// Where identities are kept, and which one a command uses.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { homedir, userInfo } from "node:os"
import { join, resolve } from "node:path"
import { isName } from "../identity.ts"
import { Failure, usage } from "./failure.ts"

type Env = Readonly<Record<string, string | undefined>>

/** Settings of one identity that are no secrets and no state. */
export interface Profile {
  /** The hub to use unless another is named. */
  readonly hub?: string
  /** From whom messages are taken and to whom they are sent. */
  readonly policy?: "first-use" | "pinned" | "verified"
}

/** The directory of all identities: AGENTMESH_HOME, else below XDG_DATA_HOME. */
export function homeOf(env: Env, option?: string): string {
  const given = option ?? env["AGENTMESH_HOME"]
  if (given) return resolve(given)
  const data = env["XDG_DATA_HOME"]
  return join(data?.startsWith("/") ? data : join(homedir(), ".local", "share"), "agentmesh")
}

/** Directories that nobody else can enter, created if missing. */
export function secureDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  return path
}

/** A file that nobody else can read, replaced in one step. */
export function writeSecure(path: string, data: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, data, { mode: 0o600 })
  renameSync(temporary, path)
}

/** One home: identities, their settings, and the default one. */
export class Home {
  readonly path: string

  /** @param path - Directory; created by the first write. */
  constructor(path: string) {
    this.path = path
  }

  /** The directory of an identity. */
  agent(name: string): string {
    return join(this.path, "agents", name)
  }

  /** The database of an identity. */
  store(name: string): string {
    return join(this.agent(name), "store")
  }

  /** Whether the identity was made here. */
  has(name: string): boolean {
    return existsSync(this.store(name))
  }

  /** Names of all identities. */
  names(): readonly string[] {
    const folder = join(this.path, "agents")
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter((name) => isName(name) && this.has(name))
      .sort()
  }

  /** Removes an identity that could not be made after all. */
  discard(name: string): void {
    rmSync(this.agent(name), { recursive: true, force: true })
  }

  /** Settings of an identity. */
  profile(name: string): Profile {
    return readJson(join(this.agent(name), "profile.json")) as Profile
  }

  /** Changes settings of an identity. */
  setProfile(name: string, change: Partial<Profile>): void {
    secureDirectory(this.path)
    const folder = secureDirectory(this.agent(name))
    const profile = { ...this.profile(name), ...change }
    writeSecure(join(folder, "profile.json"), `${JSON.stringify(profile)}\n`)
  }

  /** The identity that is used when none is named, if one was chosen. */
  get chosen(): string | undefined {
    const { as } = readJson(join(this.path, "config.json")) as { as?: string }
    return as
  }

  /** Chooses the identity that is used when none is named. */
  choose(name: string): void {
    secureDirectory(this.path)
    writeSecure(join(this.path, "config.json"), `${JSON.stringify({ as: name })}\n`)
  }

  /** The identity to use: named, from AGENTMESH_AS, chosen, or called as the user is. */
  nameFor(env: Env, option?: string): string {
    const name = option ?? (env["AGENTMESH_AS"] || this.chosen || userName())
    if (!isName(name)) {
      const form = "names have 1 to 64 characters: a-z and 0-9, after the first also . _ -"
      throw usage(`"${name}" is no name for an agent`, form)
    }
    return name
  }
}

function userName(): string {
  let name = ""
  try {
    name = userInfo().username
  } catch {
    // A user without an entry in the password file.
  }
  name = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .slice(0, 64)
  return isName(name) ? name : "me"
}

function readJson(path: string): unknown {
  if (!existsSync(path)) return {}
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"))
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value
  } catch {
    // Reported below.
  }
  throw new Failure(1, `${path} cannot be read`, "correct it, or delete it to use the defaults")
}
