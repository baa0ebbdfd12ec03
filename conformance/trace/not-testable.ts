// Requirements that no test from outside can observe, and why. A driver shows what an
// implementation answers; it does not show its memory, nor where its random bytes come from.

const ERASURE = "what is left in memory does not show in an answer"

/** Reason by requirement id. */
export const NOT_TESTABLE: Readonly<Record<string, string>> = {
  "SUITE-5": "where random bytes come from does not show in them",
  "SUITE-7": "an entry that does not exist cannot be called",
  "BUNDLE-5": "no operation changes dk: an agent need not be able to",
  "KEYSCHEDULE-4": ERASURE,
  "KEYSCHEDULE-5": ERASURE,
  "KEYSCHEDULE-10": ERASURE,
  "HANDSHAKE-33": "policies that are functions belong to the interface of a language",
  "HANDSHAKE-36": "a replay cache takes 32,768 handshakes to fill, minutes of any machine",
  "SESSION-18": "a second try leaves no trace in the answer",
  "SESSION-23": ERASURE,
  "AGENT-3": "the store and its lock are local",
  "AGENT-4": "how a store is damaged depends on what it is made of",
  "AGENT-6": "files of a store are not part of the protocol",
  "AGENT-42": "how a store fails depends on what it is made of",
}
