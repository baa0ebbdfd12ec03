// SPEC Appendix A: every limit of the protocol. Those marked "option" are defaults.

// §3 encoding
/** Bytes; SPEC §3. */
export const MAX_OBJECT = 1_114_112
/** Items; SPEC §3. */
export const MAX_DEPTH = 8
/** Items; SPEC §3. */
export const MAX_PAYLOAD_DEPTH = 32

// §5 identity
/** Characters; SPEC §5. */
export const MAX_NAME = 64
/** Seconds; SPEC §5. */
export const EVENT_INTERVAL = 3_600

// §6 bundle
/** Bytes; SPEC §6. */
export const MAX_BUNDLE = 8_192
/** Prekeys; SPEC §6. */
export const MAX_PREKEYS = 4
/** Seconds; SPEC §6. */
export const MAX_BUNDLE_LIFETIME = 2_592_000
/** Seconds; SPEC §6. */
export const BUNDLE_ROTATION = 604_800
/** Seconds; SPEC §6. */
export const PREKEY_GRACE = 691_200
/** Seconds; SPEC §6. */
export const CLOCK_SKEW = 300
/** Seconds; SPEC §6. */
export const NOT_BEFORE_MARGIN = 3_600
/** Seconds; SPEC §6. */
export const ONE_TIME_LIFETIME = 5_097_600
/** Seconds; SPEC §6. */
export const MAX_ONE_TIME_LIFETIME = 5_184_000
/** Seconds; SPEC §6. */
export const MAX_SEQ_AHEAD = 2_678_400
/** Keys of a suite; SPEC §6. */
export const PUBLISHED_ONE_TIME = 100
/** Keys of a suite; SPEC §6. */
export const REFILL_ONE_TIME = 20
/** Keys of a suite; SPEC §6. */
export const MAX_HELD_ONE_TIME = 500
/** Keys an hour; SPEC §6. */
export const MAX_MADE_ONE_TIME = 200

// §8 handshake
/** TH of a bundle; SPEC §8. */
export const MAX_REPLAY_CACHE = 65_536
/** TH of a bundle; SPEC §8. */
export const REPLAY_ROTATION = 32_768
/** Bundles; SPEC §8. */
export const MAX_LIVE_BUNDLES = 64
/** Inits of a peer an hour; SPEC §8. */
export const MAX_INITS = 20
/** Sessions with a peer; SPEC §8. */
export const MAX_SESSIONS = 4
/** Sessions, option; SPEC §8. */
export const MAX_STRANGER_SESSIONS = 1_000
/** Keys; SPEC §8. */
export const MAX_STRANGER_SKIPPED = 20_000

// §9 envelope
/** Bytes; SPEC §9. */
export const MAX_ENVELOPE = 1_114_112
/** Bytes; SPEC §9. */
export const MAX_HEADER = 8_192
/** Bytes; SPEC §9. */
export const MAX_CONTENT = 1_000_000
/** Contents of an envelope; SPEC §9. */
export const MAX_CONTENTS = 64
/** Receipts of a content; SPEC §9. */
export const MAX_RECEIPTS = 256
/** Bytes; SPEC §9. */
export const MIN_PADDED = 256
/** Bytes; SPEC §9. */
export const MAX_PADDED = 1_081_344
/** Bytes; SPEC §9. */
export const MIN_CT = 272
/** Bytes; SPEC §9. */
export const MAX_CT = 1_081_360

// §10 session
/** Envelopes of a chain; SPEC §10. */
export const MAX_CHAIN = 1_000
/** Keys of a session; SPEC §10. */
export const MAX_SKIPPED = 2_000
/** Seconds; SPEC §10. */
export const SKIPPED_LIFETIME = 604_800
/** Chains of a session; SPEC §10. */
export const MAX_RETIRED = 4
/** Seconds; SPEC §10. */
export const SESSION_LIFETIME = 2_592_000
/** Seconds; SPEC §10. */
export const SENDING_LIFETIME = 1_814_400
/** Seconds; SPEC §10. */
export const GLARE_WINDOW = 60

// §11 hub
/** Bytes; SPEC §11. */
export const MAX_FRAME = 1_179_648
/** Versions of a hello; SPEC §11. */
export const MAX_VERSIONS = 8
/** Keys of a request; SPEC §11. */
export const MAX_ONE_TIME_PUT = 100
/** Mseqs of a request; SPEC §11. */
export const MAX_ACKS = 256
/** Names of a reply; SPEC §11. */
export const MAX_NAMES = 256
/** Names that a client takes in all; SPEC §11. */
export const MAX_LISTED = 1_000_000
/** SPEC §11. */
export const MAX_RID = 4_294_967_295
/** Envelopes, option; SPEC §11. */
export const MAX_MAILBOX_MESSAGES = 1_000
/** Bytes, option; SPEC §11. */
export const MAX_MAILBOX_BYTES = 67_108_864
/** Envelopes of a sender, option; SPEC §11. */
export const MAX_SENDER_MESSAGES = 200
/** Bytes of a sender, option; SPEC §11. */
export const MAX_SENDER_BYTES = 8_388_608
/** Seconds, option; SPEC §11. */
export const MAIL_LIFETIME = 604_800
/** Requests a second, option; SPEC §11. */
export const MAX_REQUEST_RATE = 1_000
/** Envelopes of a link, option; SPEC §11. */
export const MAX_UNACKED = 64
/** Seconds after the ACK; SPEC §11. */
export const DEDUPE_LIFETIME = 600
/** Seconds; SPEC §11. */
export const RESERVATION_LIFETIME = 60
/** Keys of requester and target an hour; SPEC §11. */
export const MAX_FRESH = 6
/** Keys of a name an hour; SPEC §11. */
export const MAX_ONE_TIME_ACCEPTED = 1_000
/** Seconds; SPEC §11. */
export const LOGIN_TIMEOUT = 10
/** Seconds; SPEC §11. */
export const IDLE_TIMEOUT = 180
/** Seconds; SPEC §11. */
export const PING_INTERVAL = 60
/** Seconds; SPEC §11. */
export const MAX_RETRY_AFTER = 3_600
/** Seconds; SPEC §11. */
export const RECEIPT_SKEW = 300
/** Seconds; SPEC §11. */
export const RECONNECT_MIN = 1
/** Seconds; SPEC §11. */
export const RECONNECT_MAX = 60

// §11, §12 hub
/** Seconds; SPEC §11, §12. */
export const REPLY_TIMEOUT = 30

// §12 agent
/** Seconds; SPEC §12. */
export const SEND_BACKOFF = 60
/** Seconds; SPEC §12. */
export const HANDSHAKE_BACKOFF_MAX = 3_600
/** Seconds; SPEC §12. */
export const RECEIPT_DELAY = 1
/** Envelopes; SPEC §12. */
export const RECEIPT_BATCH = 32
/** Seconds; SPEC §12. */
export const RESEAL_AFTER = 60
/** Seconds; SPEC §12. */
export const PROBE_AFTER = 600
/** Seconds; SPEC §12. */
export const PROBE_MAX = 86_400
/** Seconds; SPEC §12. */
export const PROBE_CONNECTED = 60
/** Seconds; SPEC §12. */
export const DRAIN_TIMEOUT = 3_600
/** Seconds; SPEC §12. */
export const UNDELIVERED_AFTER = 1_209_600
/** Envelopes to a peer; SPEC §12. */
export const MAX_UNRECEIPTED = 128
/** Contents to a peer; SPEC §12. */
export const MAX_SEALED_AFTER = 32_768
/** Seconds; SPEC §12. */
export const ID_LIFETIME = 1_900_800
/** Ids of a peer; SPEC §12. */
export const MAX_IDS = 65_536
/** Ids of all strangers; SPEC §12. */
export const MAX_STRANGER_IDS = 262_144
/** Seconds; SPEC §12. */
export const MAX_AHEAD = 86_400
/** Contents; SPEC §12. */
export const MAX_INBOX = 10_000
/** Bytes; SPEC §12. */
export const MAX_INBOX_BYTES = 268_435_456
/** Seconds; SPEC §12. */
export const COMPACT_KEYS = 600
/** Seconds; SPEC §12. */
export const COMPACT_CONTENTS = 86_400
/** Bytes; SPEC §12. */
export const MAX_STATE = 16_777_216
