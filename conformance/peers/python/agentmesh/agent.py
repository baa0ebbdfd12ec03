"""§12 agent: export and import, judging of contents, and an agent without a hub, in memory."""
from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, field
from typing import Any, Callable

from . import bundle as bn
from . import encoding as enc
from . import envelope as env
from . import handshake as hs
from . import identity as idn
from .encoding import C
from .errors import MeshError
from .identity import Identity, Peer
from .session import INITIATOR, Session, sending_session
from .suite import Draws, H, aead_open, aead_seal, check_ed25519, hkdf, label

MAX_STATE = 16_777_216
ID_LIFETIME = 1_900_800
MAX_IDS = 65_536
MAX_STRANGER_IDS = 262_144
MAX_AHEAD_MS = 86_400_000
KEPT_WINDOW, JUMP_DELAY = 604_800, 86_400
PREKEY_GRACE = 691_200
MAX_SESSIONS = 4

TRUST_NAMES = {0: "unknown", 1: "pinned", 2: "verified"}
PINNED, VERIFIED = 1, 2


# --- export and import (12.3, 12.4) ------------------------------------------------------------

@dataclass(frozen=True)
class PeerState:
    name: str
    ik: bytes
    trust: int
    suite: int
    seq: int


@dataclass(frozen=True)
class IdentityState:
    identity: Identity
    seq: int
    hub_ik: bytes | None
    peers: tuple[PeerState, ...]


def passphrase_key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode("utf-8"), salt=salt, n=2**17, r=8, p=1, maxmem=2**28, dklen=32)


def _state_keys(k: bytes, kdf: int, salt: bytes, guard: bytes) -> tuple[bytes, bytes, bytes]:
    okm = hkdf(guard, k, C([label("state")]), 44)
    return okm[:32], okm[32:], C([label("state"), kdf, salt, guard])


def export_state(state: IdentityState, draws: Draws, key: bytes | None = None, passphrase: str | None = None) -> bytes:
    if key is not None:
        kdf, salt, k = 0, b"", key
    else:
        if not passphrase:
            raise ValueError("a passphrase has at least one character")
        kdf, salt = 1, draws.draw("salt", 16)
        k = passphrase_key(passphrase, salt)
    guard = draws.draw("export-guard", 16)
    i = state.identity
    peers = [[p.name, p.ik, p.trust, p.suite, p.seq]
             for p in sorted(state.peers, key=lambda p: p.name.encode())]
    plain = C([label("state"), i.name, i.ik_secret, i.dk_secret, state.seq, state.hub_ik, peers])
    aes, nonce, aad = _state_keys(k, kdf, salt, guard)
    return C([label("state"), kdf, salt, guard, aead_seal(aes, nonce, plain, aad)])


def import_state(raw: bytes, key: bytes | None = None, passphrase: str | None = None) -> IdentityState:
    """AGENT-63: one code for every fault."""
    try:
        f = enc.array(enc.decode(raw, limit=MAX_STATE), 5)
        enc.label_is(f[0], "state")
        kdf = enc.uint(f[1], 0, 1)
        salt = enc.bstr(f[2], 0 if kdf == 0 else 16)
        guard, ct = enc.bstr(f[3], 16), enc.bstr(f[4])
        if kdf == 0:
            if key is None or len(key) != 32:
                raise MeshError("agent/store-corrupt", "a key is needed")
            k = key
        else:
            if not passphrase:
                raise MeshError("agent/store-corrupt", "a passphrase is needed")
            k = passphrase_key(passphrase, salt)
        aes, nonce, aad = _state_keys(k, kdf, salt, guard)
        s = enc.array(enc.decode(aead_open(aes, nonce, ct, aad), limit=MAX_STATE), 7)
        enc.label_is(s[0], "state")
        name = idn.check_name(enc.tstr(s[1]))
        ik_secret, dk_secret = enc.bstr(s[2], 32), enc.bstr(s[3], 32)
        seq = enc.uint(s[4])
        hub_ik = enc.bstr_or_null(s[5], 32)
        if hub_ik is not None:
            check_ed25519(hub_ik)
        peers: list[PeerState] = []
        for v in enc.array(s[6]):
            p = enc.array(v, 5)
            peer = PeerState(idn.check_name(enc.tstr(p[0])), enc.bstr(p[1], 32), enc.uint(p[2], 1, 2),
                             enc.uint(p[3], 0, 2), enc.uint(p[4]))
            check_ed25519(peer.ik)
            if peers and peer.name.encode() <= peers[-1].name.encode():
                raise MeshError("agent/store-corrupt", "order of peers")
            peers.append(peer)
        return IdentityState(Identity(name, ik_secret, dk_secret), seq, hub_ik, tuple(peers))
    except MeshError as e:
        raise MeshError("agent/store-corrupt", str(e)) from e


# --- the two clocks (§2) -----------------------------------------------------------------------

@dataclass
class Clock:
    kept: int
    jump: int | None = None

    def commit(self, now: int) -> None:
        if abs(now - self.kept) <= KEPT_WINDOW:
            self.kept, self.jump = now, None
        elif self.jump is None or now < self.jump:
            self.jump = now
        elif now - self.jump >= JUMP_DELAY:
            self.kept, self.jump = now, None

    def stamp(self, now: int) -> int:
        return max(now, self.kept)


# --- ids and the floor -------------------------------------------------------------------------

PeerKey = tuple[str, bytes]


@dataclass
class IdRow:
    sent_ms: int
    status: int
    time: int


@dataclass
class IdTable:
    rows: dict[tuple[PeerKey, bytes], IdRow] = field(default_factory=dict)
    floor: int = 0
    most: int = MAX_IDS

    def _drop(self, key: tuple[PeerKey, bytes]) -> None:
        self.floor = max(self.floor, self.rows.pop(key).sent_ms)

    def clean(self, kept: int) -> None:
        for i in [i for i, r in self.rows.items() if kept - r.time >= ID_LIFETIME]:
            self._drop(i)

    def clamp(self, most: int) -> None:
        for r in self.rows.values():
            r.time = min(r.time, most)

    def put(self, key: tuple[PeerKey, bytes], row: IdRow) -> None:
        self.rows[key] = row
        while len(self.rows) > self.most:
            self._drop(min(self.rows, key=lambda i: self.rows[i].sent_ms))

    def take(self, peer: PeerKey) -> "IdTable":
        """AGENT-57: a stranger's ids leave the common table, with its floor."""
        own = IdTable(floor=self.floor)
        for key in [k for k in self.rows if k[0] == peer]:
            own.put(key, self.rows.pop(key))
        return own


@dataclass
class PeerIds:
    """The ids of one peer, in its own table or in that of the strangers."""
    table: IdTable
    peer: PeerKey

    def get(self, content_id: bytes) -> IdRow | None:
        return self.table.rows.get((self.peer, content_id))

    @property
    def floor(self) -> int:
        return self.table.floor

    def add(self, content_id: bytes, sent_ms: int, stamp: int) -> None:
        self.table.put((self.peer, content_id), IdRow(sent_ms, 1, stamp))


# --- judging -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Judged:
    code: str | None                    # a refusal, or None
    content: env.Content | None         # set if it is dispatched, or a heal or receipt
    dispatch: bool = False
    receipt: tuple[bytes, int] | None = None


def judge(raw: bytes, now_ms: int, ids: PeerIds, accepts: Callable[[int], bool]) -> Judged:
    """§12.4, checks 1 to 7; `accepts(sent_ms)` is the accept policy with maxAge."""
    try:
        c = env.read_content(raw)                                                # 1
    except MeshError as e:
        content_id = env.readable_id(raw)
        if content_id is None:
            return Judged(e.code, None)
        known = ids.get(content_id)                                              # a known id keeps its status
        return Judged(e.code, None, receipt=(content_id, known.status if known is not None else 3))
    if c.kind != env.APPLICATION:                                                # 2
        return Judged(None, c)
    row = ids.get(c.id)
    if row is not None:                                                          # 3
        return Judged(None, None, receipt=(c.id, row.status))
    refused = (c.id, 3)
    if c.sent_ms > now_ms + MAX_AHEAD_MS or c.sent_ms <= ids.floor:              # 4
        return Judged("envelope/content", None, receipt=refused)
    if not accepts(c.sent_ms):                                                   # 5
        return Judged("identity/untrusted", None, receipt=refused)
    try:
        enc.decode_payload(c.body)                                               # 6
    except MeshError:
        return Judged("agent/payload", None, receipt=refused)
    return Judged(None, c, True, (c.id, 1))                                      # 7


# --- trust -------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Policy:
    accept: str = "first-use"
    send: str = "first-use"
    max_age: int | None = None


@dataclass
class Pin:
    ik: bytes
    trust: int
    suite: int = 0


# --- an agent without a hub --------------------------------------------------------------------

@dataclass(frozen=True)
class Received:
    sender: Peer
    trust: int
    contents: list[env.Content]
    receipts: list[tuple[bytes, int]]
    refused: list[str]


@dataclass
class Store:
    """Everything that a commit writes."""
    clock: Clock
    seq: int = 0
    hub_ik: bytes | None = None
    bundles: list[hs.LiveBundle] = field(default_factory=list)
    one_times: list[hs.LiveOneTime] = field(default_factory=list)
    pins: dict[str, Pin] = field(default_factory=dict)
    seqs: dict[tuple[str, bytes], bn.Known] = field(default_factory=dict)
    cards: dict[str, bytes] = field(default_factory=dict)                # stored bundles of peers
    sessions: dict[tuple[str, bytes], list[Session]] = field(default_factory=dict)
    ids: dict[tuple[str, bytes], IdTable] = field(default_factory=dict)   # of peers that are no strangers
    stranger_ids: IdTable = field(default_factory=lambda: IdTable(most=MAX_STRANGER_IDS))
    due: dict[tuple[str, bytes], list[tuple[bytes, int]]] = field(default_factory=dict)
    opened: int = 0                                                      # the counter behind `order`


class Agent:
    def __init__(self, identity: Identity, draws: Draws, now: int, suites: tuple[int, ...] = (1, 2),
                 policy: Policy = Policy(), require_one_time: bool = False) -> None:
        self.identity = identity
        self.draws = draws
        self.now = now
        self.suites = suites
        self.policy = policy
        self.flags = bn.ONE_TIME_REQUIRED if require_one_time else 0
        self.store = Store(Clock(now))
        self.events: list[tuple[str, Peer]] = []

    @classmethod
    def restore_export(cls, state: IdentityState, draws: Draws, now: int, **options: Any) -> "Agent":
        agent = cls(state.identity, draws, now, **options)
        s = agent.store
        s.seq, s.hub_ik = state.seq, state.hub_ik
        for p in state.peers:
            s.pins[p.name] = Pin(p.ik, p.trust, p.suite)
            if p.seq:
                s.seqs[p.name, p.ik] = bn.Known(p.seq, None)
        return agent

    def digest(self) -> bytes:
        s = self.store
        plain = {k: v for k, v in vars(s).items() if k != "sessions"}
        return H(repr((plain, [(k, [x.state for x in v]) for k, v in s.sessions.items()])).encode())

    def _commit(self, store: Store) -> None:
        self.store = store

    def _begin(self) -> Store:
        """The beginning of a commit, on a copy: the clock, then maintenance. The random source and the
        identity are shared."""
        memo = {id(self.draws): self.draws, id(self.identity): self.identity}
        s = copy.deepcopy(self.store, memo)
        s.clock.commit(self.now)
        kept, most = s.clock.kept, s.clock.stamp(self.now)
        for key, sessions in list(s.sessions.items()):
            for x in sessions:
                x.clamp(most)
            s.sessions[key] = [x for x in sessions if not x.expired(kept)]
        for table in [*s.ids.values(), s.stranger_ids]:
            table.clamp(most)
            table.clean(kept)
        s.bundles = [b for b in s.bundles if kept <= b.bundle.not_after + PREKEY_GRACE]
        s.one_times = [k for k in s.one_times if kept <= k.key.not_after + PREKEY_GRACE]
        return s

    # --- own keys ------------------------------------------------------------------------------

    def publish(self, lifetime: int = bn.MAX_BUNDLE_LIFETIME) -> bytes:
        s = self._begin()
        s.seq = bn.next_seq(s.seq, self.now)
        raw, secrets = bn.create(self.identity, self.draws, s.seq, self.now, list(self.suites), self.flags, lifetime)
        s.bundles.append(hs.LiveBundle(bn.read_bundle(raw), {x.suite: x for x in secrets}, self.identity.dk_secret))
        self._commit(s)
        return raw

    def export(self, key: bytes | None = None, passphrase: str | None = None) -> bytes:
        s = self.store
        peers = []
        for name, pin in s.pins.items():
            known = s.seqs.get((name, pin.ik))
            peers.append(PeerState(name, pin.ik, pin.trust, pin.suite, known.seq if known else 0))
        return export_state(IdentityState(self.identity, s.seq, s.hub_ik, tuple(peers)), self.draws, key, passphrase)

    # --- trust ---------------------------------------------------------------------------------

    def _trust(self, peer: Peer) -> int:
        pin = self.store.pins.get(peer.name)
        return pin.trust if pin is not None and pin.ik == peer.ik else 0

    def _allowed(self, policy: str, peer: Peer, as_sender: bool, addressed: bool = False) -> bool:
        """addressed: by an address with the fingerprint, which makes the peer verified."""
        trust = VERIFIED if addressed else self._trust(peer)
        if policy == "verified":
            return trust == VERIFIED
        if policy == "any" or trust:
            return True
        return policy == "first-use" and as_sender

    def verify(self, address: str) -> int:
        name, fingerprint = idn.read_address(address)
        pin = self.store.pins.get(name)
        if pin is None or fingerprint is None or fingerprint != idn.fingerprint(pin.ik):
            raise MeshError("identity/fingerprint")
        s = self._begin()
        s.pins[name].trust = VERIFIED
        self._commit(s)
        return VERIFIED

    def forget(self, name: str) -> bool:
        """IDENTITY-14: ids, floor and seq stay."""
        s = self._begin()
        pin = s.pins.pop(name, None)
        if pin is None:
            return False
        s.cards.pop(name, None)
        s.sessions.pop((name, pin.ik), None)
        s.due.pop((name, pin.ik), None)
        self._commit(s)
        return True

    def connect(self, raw: bytes, fingerprint: str | None = None) -> Peer:
        """connectWithBundle: accepts, pins and keeps the bundle (BUNDLE-24)."""
        b = self._accept(raw, None, fingerprint)
        if b.ik == self.identity.ik:
            raise MeshError("handshake/self")
        common = set(self.suites) & {p.suite for p in b.prekeys}
        if not common:
            raise MeshError("suite/unsupported")
        pin = self.store.pins.get(b.name)
        least = pin.suite if pin is not None and pin.suite in self.suites else 0
        if max(common) < least:
            raise MeshError("suite/downgrade")
        s = self._begin()
        self._remember(s, b, max(common), fingerprint is not None)
        s.cards[b.name] = raw
        self._commit(s)
        return Peer(b.name, b.ik)

    def _accept(self, raw: bytes, name: str | None, fingerprint: str | None) -> bn.Bundle:
        s = self.store
        b = bn.read_bundle(raw)
        pin = s.pins.get(b.name)
        return bn.accept(raw, self.now, name, fingerprint, pin.ik if pin else None, s.seqs.get((b.name, b.ik)))

    @staticmethod
    def _remember(s: Store, b: bn.Bundle, suite: int, verified: bool) -> None:
        pin = s.pins.setdefault(b.name, Pin(b.ik, PINNED))
        pin.suite = max(pin.suite, suite)
        if verified:
            pin.trust = VERIFIED
        s.seqs[b.name, b.ik] = bn.Known(b.seq, b.ref)

    # --- seal ----------------------------------------------------------------------------------

    def seal(self, to: str, payload: bytes, re: bytes | None = None, ask: int = 0) -> tuple[bytes, bytes]:
        """(envelope, content id); payload is already encoded."""
        name, fingerprint = idn.read_address(to)
        try:
            enc.decode_payload(payload)
        except MeshError as e:
            raise MeshError("agent/payload", str(e)) from e
        content_id = self.draws.draw("content-id", 16)
        content = env.encode_content(env.APPLICATION, content_id, self.now * 1000, re, ask, payload)
        if len(content) > enc.MAX_CONTENT:
            raise MeshError("agent/payload", "too large")
        s = self._begin()
        kept = s.clock.kept
        pin = s.pins.get(name)
        sessions = s.sessions.get((name, pin.ik), []) if pin is not None else []
        session = sending_session(sessions, kept)
        card = s.cards.get(name)
        if session is None and card is None:
            raise MeshError("agent/no-hub")
        assert pin is not None
        peer = Peer(name, pin.ik)
        if fingerprint is not None and fingerprint != idn.fingerprint(pin.ik):
            raise MeshError("identity/fingerprint")
        if not self._allowed(self.policy.send, peer, True, fingerprint is not None):
            raise MeshError("identity/untrusted")
        initiated = None
        if session is None:
            assert card is not None
            b = self._accept(card, name, fingerprint)
            initiated = hs.initiate(self.identity, b, None, self.suites, pin.suite, self.draws, self.now)
            session = initiated.session
            session.state.created = s.clock.stamp(self.now)
            self._remember(s, b, initiated.suite, False)
            self._add_session(s, session)
        if fingerprint is not None:
            s.pins[name].trust = VERIFIED
        key = (name, pin.ik)
        if key not in s.ids:
            s.ids[key] = s.stranger_ids.take(key)                                # a stranger no more
        contents: list[bytes] = []
        due = s.due.pop(key, [])
        room = env.MAX_PADDED - 1 - env.inner_length([len(content)])
        while due and len(contents) < env.MAX_CONTENTS - 1:                      # the content has to fit behind
            part = due[:env.MAX_RECEIPTS]
            body = env.encode_receipts(part)
            length = len(env.encode_content(env.RECEIPT, bytes(16), self.now * 1000, None, 0, body))
            room -= len(C(bytes(length)))
            if room < 1:                                                         # 1: a longer head of the list
                break
            contents.append(env.encode_content(env.RECEIPT, self.draws.draw("content-id", 16), self.now * 1000,
                                               None, 0, body))
            due = due[len(part):]
        if due:
            s.due[key] = due
        sealed = session.seal(contents + [content])
        session.state.carried_application = True
        self._commit(s)
        return sealed, content_id

    @staticmethod
    def _add_session(s: Store, session: Session) -> None:
        """HANDSHAKE-39: a fifth session puts one out."""
        peer = session.state.peer
        sessions = s.sessions.setdefault((peer.name, peer.ik), [])
        sessions.append(session)
        while len(sessions) > MAX_SESSIONS:
            keep = sending_session(sessions, s.clock.kept)
            others = [x for x in sessions if x is not keep and x is not session]
            others.sort(key=lambda x: (x.state.carried_application,
                                       x.state.created if x.state.verified is None else x.state.verified))
            sessions.remove(others[0])

    # --- open ----------------------------------------------------------------------------------

    def open(self, raw: bytes, from_name: str | None = None) -> Received:
        envelope = env.read_envelope(raw)
        s = self._begin()
        kept, stamp = s.clock.kept, s.clock.stamp(self.now)
        everything = [x for v in s.sessions.values() for x in v if not x.expired(kept)]
        s.opened += 1
        if envelope.header.init is None:
            session = next((x for x in everything if x.sid == envelope.header.sid), None)
            if session is None:
                raise MeshError("session/unknown")
            raw_contents = session.open(envelope, kept, s.opened, None, stamp)
        else:
            responder = hs.Responder(
                self.identity, s.bundles, s.one_times, self.suites,
                lambda p: s.pins[p.name].suite if self._trust(p) else 0,
                lambda th: next((x for x in everything if x.state.th == th), None),
                lambda sid: any(x.sid == sid for x in everything),
                lambda name: s.pins[name].ik if name in s.pins else None,
                lambda p: self._allowed(self.policy.accept, p, False),
                lambda p: True,
                on_changed=lambda p: self.events.append(("identity/changed", p)))
            accepted = hs.respond(responder, envelope, kept, self.draws, s.opened, from_name, None, stamp)
            session, raw_contents = accepted.session, accepted.contents
            if not accepted.repeated:                                            # step 9
                assert accepted.bundle is not None
                if accepted.one_time is not None:
                    s.one_times.remove(accepted.one_time)
                else:
                    accepted.bundle.replay_cache.add(session.state.th)
                pin = s.pins.setdefault(accepted.peer.name, Pin(accepted.peer.ik, PINNED))
                pin.suite = max(pin.suite, session.state.suite)
                self._add_session(s, session)
        return self._judge_all(s, session, raw_contents)

    def _judge_all(self, s: Store, session: Session, raw_contents: list[bytes]) -> Received:
        peer = session.state.peer
        key = (peer.name, peer.ik)
        ids = PeerIds(s.ids.get(key, s.stranger_ids), key)
        contents: list[env.Content] = []
        receipts: list[tuple[bytes, int]] = []
        refused: list[str] = []
        now_ms = self.now * 1000
        store, self.store = self.store, s
        try:
            trust = self._trust(peer)

            def accepts(sent_ms: int) -> bool:
                age = self.policy.max_age
                if age is not None and now_ms - sent_ms > age * 1000:
                    return False
                return self._allowed(self.policy.accept, peer, False)

            for raw in raw_contents:
                j = judge(raw, now_ms, ids, accepts)
                if j.receipt is not None:
                    due = s.due.setdefault(key, [])
                    due.append(j.receipt)
                    del due[:-MAX_IDS]                                           # oldest out first
                if j.code is not None:
                    refused.append(j.code)
                elif j.dispatch:
                    assert j.content is not None
                    ids.add(j.content.id, j.content.sent_ms, s.clock.stamp(self.now))
                    contents.append(j.content)
                    session.state.carried_application = True
                elif j.content is not None:
                    receipts += j.content.receipts
        finally:
            self.store = store
        self._commit(s)
        return Received(peer, trust, contents, receipts, refused)
