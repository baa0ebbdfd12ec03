// SPEC §6, §12: a peer that is known from its bundle or card, without a hub.

import { acceptBundle } from "../bundle.ts"
import { AgentMeshError } from "../errors.ts"
import type { Core } from "./core.ts"
import type { Engine } from "./engine.ts"
import { keepBundles } from "./evidence.ts"
import type { Sender } from "./send.ts"
import type { PeerView } from "./trust.ts"

/** What it takes to accept a card. */
export interface CardParts {
  readonly core: Core
  readonly engine: Engine
  readonly sender: Sender
}

/**
 * Pins the owner of a bundle in one commit. What the refusal of another bundle with the same seq
 * proves is kept (BUNDLE-23).
 *
 * @param expected - Fingerprint that makes the peer verified.
 * @throws {@link AgentMeshError} `encoding/*`, `bundle/*`, `identity/*`, `suite/*`.
 */
export async function acceptCard(
  { core, engine, sender }: CardParts,
  bundle: Uint8Array,
  expected: string | null,
): Promise<PeerView> {
  const nameNow = (): string => acceptBundle(bundle, { now: core.now }).name
  try {
    return await engine.run(async () => {
      const prepared = await sender.prepare(nameNow(), expected, { bundle, oneTime: null })
      sender.accept(prepared.bundle, expected !== null)
      core.updatePeer(prepared.bundle, { card: new Uint8Array(bundle) })
      return core.view(prepared.bundle)
    })
  } catch (error) {
    const lie = error instanceof AgentMeshError && error.code === "bundle/equivocation"
    if (lie) await engine.run(() => keepBundles(core, nameNow(), bundle))
    throw error
  }
}
