// Requirements that are not traced yet. The lists only shrink: a new requirement comes with its
// citation and its check.

/** Named by no source file. */
export const UNCITED: readonly string[] = [
  ...["IDENTITY-10", "IDENTITY-12"],
  ...["BUNDLE-1", "BUNDLE-3", "BUNDLE-4", "BUNDLE-5", "BUNDLE-6", "BUNDLE-7"],
  ...["BUNDLE-25", "BUNDLE-29"],
  ...[
    "HANDSHAKE-9",
    "HANDSHAKE-10",
    "HANDSHAKE-11",
    "HANDSHAKE-33",
    "HANDSHAKE-34",
    "HANDSHAKE-35",
  ],
  ...["HANDSHAKE-36", "HANDSHAKE-37", "HANDSHAKE-38"],
  ...["ENVELOPE-18", "ENVELOPE-19"],
  ...["SESSION-5", "SESSION-6", "SESSION-7", "SESSION-20", "SESSION-22"],
  ...["HUB-1", "HUB-3", "HUB-5", "HUB-6", "HUB-7", "HUB-11"],
  ...["HUB-13", "HUB-17", "HUB-52", "HUB-57", "HUB-60", "HUB-61"],
  ...["AGENT-2", "AGENT-3", "AGENT-5", "AGENT-7", "AGENT-8", "AGENT-11"],
  ...["AGENT-12", "AGENT-13", "AGENT-14", "AGENT-17", "AGENT-20", "AGENT-24"],
  ...["AGENT-25", "AGENT-26", "AGENT-27", "AGENT-28", "AGENT-29", "AGENT-31"],
  ...["AGENT-34", "AGENT-37", "AGENT-39", "AGENT-40", "AGENT-41", "AGENT-43"],
  ...["AGENT-46", "AGENT-47", "AGENT-48", "AGENT-49", "AGENT-50", "AGENT-51"],
  ...["AGENT-52", "AGENT-53", "AGENT-54", "AGENT-55", "AGENT-56", "AGENT-57"],
  ...["AGENT-59", "AGENT-60", "AGENT-62", "AGENT-63", "AGENT-64"],
]

/** Named by no vector, property or test. */
export const UNEXERCISED: readonly string[] = [
  ...["SUITE-1", "SUITE-2"],
  ...["IDENTITY-3", "IDENTITY-11", "IDENTITY-13"],
  ...["BUNDLE-2", "BUNDLE-3", "BUNDLE-4", "BUNDLE-5", "BUNDLE-7", "BUNDLE-25"],
  ...["BUNDLE-27", "BUNDLE-29"],
  ...["KEYSCHEDULE-9", "KEYSCHEDULE-11"],
  ...["HANDSHAKE-33", "HANDSHAKE-37", "HANDSHAKE-38"],
  ...["ENVELOPE-19"],
  ...["SESSION-4"],
  ...["HUB-5", "HUB-7", "HUB-8", "HUB-17", "HUB-58", "HUB-61"],
  ...["AGENT-13", "AGENT-18", "AGENT-20", "AGENT-31", "AGENT-65", "AGENT-33"],
  ...["AGENT-34", "AGENT-35", "AGENT-39", "AGENT-40", "AGENT-55", "AGENT-57"],
]
