// Vectors of SPEC §10 session: how a case is added.

import type { Case } from "../driver.ts"
import type { Play } from "./play.ts"

/** Adds a case of a session that was played. */
export type Add = (
  n: number,
  code: string,
  req: string,
  title: string,
  play: Play,
  why?: string,
) => Case
