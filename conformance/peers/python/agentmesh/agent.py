"""§12: an agent that seals and opens; without a hub by itself, with one as the base of delivery.py."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable

from . import bundle as bn
from . import encoding as enc
from . import envelope as env
from . import handshake as hs
from . import identity as idn
from .errors import MeshError
from .identity import Peer
from .judging import MAX_IDS, add_id, befriend, judge
from .keeper import HOUR, PINNED, TRUST_NAMES, UNKNOWN, VERIFIED, Keeper, Policy, Snapshot
from .session import Session, State, sending_session
from .store import Entry, IdRow, PeerKey, Pin, Status, Store
from .transfer import import_state

__all__ = ["Agent", "MeshError", "Policy", "Received", "Snapshot", "TRUST_NAMES", "import_state"]

MAX_SESSIONS, MAX_STRANGER_SESSIONS, MAX_STRANGER_SKIPPED = 4, 1_000, 20_000
MAX_INBOX, MAX_INBOX_BYTES = 10_000, 268_435_456


@dataclass(frozen=True)
class Received:
    sender: Peer
    trust: int
    contents: list[env.Content]
    receipts: list[Status]
    refused: list[str]


class Agent(Keeper):
    # --- what is sent --------------------------------------------------------------------------

    def connect(self, raw: bytes, fingerprint: str | None = None) -> Peer:
        """connectWithBundle: accepts, pins and keeps the bundle (BUNDLE-24)."""
        b = self.accept_bundle(raw, None, fingerprint)
        if b.ik == self.identity.ik:
            raise MeshError("handshake/self")
        common = set(self.suites) & {p.suite for p in b.prekeys}
        if not common:
            raise MeshError("suite/unsupported")
        if max(common) < self.least_suite((b.name, b.ik)):
            raise MeshError("suite/downgrade")
        s = self.begin()
        self.remember(s, b, max(common), fingerprint is not None)
        s.cards[b.name] = raw
        self.commit(s)
        return Peer(b.name, b.ik)

    def least_suite(self, key: PeerKey) -> int:
        """The remembered suite, if this agent implements it."""
        pin = self.store.pinned(key)
        return pin.suite if pin is not None and pin.suite in self.suites else 0

    def make_content(self, to: str, payload: bytes, re: bytes | None, ask: int) -> tuple[str, str | None, bytes, bytes]:
        """The first checks of `send`: (name, fingerprint, content id, content)."""
        name, fingerprint = idn.read_address(to)
        try:
            enc.decode_payload(payload)
        except MeshError as e:
            raise MeshError("agent/payload", str(e)) from e
        content_id = self.draws.draw("content-id", 16)
        content = env.encode_content(env.APPLICATION, content_id, self.now_ms, re, ask, payload)
        if len(content) > enc.MAX_CONTENT:
            raise MeshError("agent/payload", "too large")
        return name, fingerprint, content_id, content

    def check_policy(self, name: str, fingerprint: str | None) -> Pin | None:
        """The last checks of `send`: the pin against the address, then the send policy."""
        pin = self.store.pins.get(name)
        if pin is not None and fingerprint is not None and fingerprint != idn.fingerprint(pin.ik):
            raise MeshError("identity/fingerprint")
        trust = VERIFIED if fingerprint is not None else pin.trust if pin is not None else UNKNOWN
        if not self.allowed(self.policy.send, trust, True):
            raise MeshError("identity/untrusted")
        return pin

    def seal(self, to: str, payload: bytes, re: bytes | None = None, ask: int = 0) -> tuple[bytes, bytes]:
        """Without a hub: (envelope, content id); payload is already encoded."""
        name, fingerprint, content_id, content = self.make_content(to, payload, re, ask)
        s = self.begin()
        pin = s.pins.get(name)
        card = s.cards.get(name)
        session = self.sending(s, (name, pin.ik)) if pin is not None else None
        if pin is None or (session is None and card is None):
            raise MeshError("agent/no-hub")
        self.check_policy(name, fingerprint)
        key = (name, pin.ik)
        if session is None:
            assert card is not None
            session = self.found(s, self.accept_bundle(card, name, fingerprint), None)
        if fingerprint is not None:
            s.pins[name] = replace(s.pins[name], trust=VERIFIED)
        befriend(s, key)
        sealed = session.seal(self.receipts_due(s, key, [content]) + [content])
        self.keep(s, session, carried=True)
        self.commit(s)
        return sealed, content_id

    def found(self, s: Store, b: bn.Bundle, one_time: bytes | None) -> Session:
        """A handshake as initiator (§8.3), and what BUNDLE-24 commits with it."""
        used = frozenset(s.used)
        least = self.least_suite((b.name, b.ik))
        i = hs.initiate(self.identity, b, one_time, self.suites, least, self.draws, self.now, used,
                        stamp=s.stamp(self.now))
        self.remember(s, b, i.suite, False)
        if i.otk_ref is not None:
            assert one_time is not None
            s.used[i.otk_ref] = bn.read_one_time(one_time).not_after
        i.session.state = replace(i.session.state, founded=s.count())
        self.add_session(s, i.session)
        return i.session

    @staticmethod
    def fits(lengths: list[int]) -> bool:
        """Whether contents of these lengths have room in one envelope."""
        return len(lengths) <= env.MAX_CONTENTS and env.inner_length(lengths) + 1 <= env.MAX_PADDED

    def receipts_due(self, s: Store, key: PeerKey, behind: list[bytes]) -> list[bytes]:
        """Receipt contents for what is due, as far as they fit before the contents `behind`."""
        contents: list[bytes] = []
        due = s.due.pop(key, ())
        after = [len(c) for c in behind]
        while due:
            body = env.encode_receipts(due[:env.MAX_RECEIPTS])
            length = len(env.encode_content(env.RECEIPT, bytes(16), self.now_ms, None, 0, body))
            if not self.fits([*(len(c) for c in contents), length, *after]):
                break
            contents.append(self.content(env.RECEIPT, body))
            due = due[env.MAX_RECEIPTS:]
        if due:
            s.due[key] = due
        return contents

    def content(self, kind: int, body: bytes) -> bytes:
        """A heal or a receipt content, made when it is sealed."""
        return env.encode_content(kind, self.draws.draw("content-id", 16), self.now_ms, None, 0, body)

    # --- sessions ------------------------------------------------------------------------------

    def sending(self, s: Store, key: PeerKey) -> Session | None:
        return sending_session([self.session(x) for x in s.sessions_with(key)], s.self.kept)

    @staticmethod
    def keep(s: Store, session: Session, carried: bool = False) -> None:
        """Stores the state of a session."""
        state = session.state
        if carried and not state.carried_application:
            state = session.state = replace(state, carried_application=True)
        s.sessions[state.th] = state

    def add_session(self, s: Store, session: Session) -> None:
        """HANDSHAKE-39, HANDSHAKE-40: what a new session puts out."""
        state = session.state
        key = (state.peer.name, state.peer.ik)
        s.sessions[state.th] = state
        own = s.sessions_with(key)
        if len(own) > MAX_SESSIONS:
            chosen = self.sending(s, key)
            keep = {state.th} | ({chosen.state.th} if chosen is not None else set())
            others = [x for x in own if x.th not in keep]
            del s.sessions[min(others, key=lambda x: (x.carried_application, x.last_use)).th]
        strangers = [x for x in s.sessions.values() if (x.peer.name, x.peer.ik) not in s.friends and x.th != state.th]
        strangers.sort(key=lambda x: x.last_use)
        if len(strangers) >= MAX_STRANGER_SESSIONS:
            del s.sessions[strangers.pop(0).th]
        excess = sum(len(x.skipped) for x in strangers) + len(state.skipped) - MAX_STRANGER_SKIPPED
        for x in strangers:
            if excess > 0 and x.skipped:
                s.sessions[x.th] = replace(x, skipped=x.skipped[excess:])
                excess -= len(x.skipped)

    # --- what is received ----------------------------------------------------------------------

    def open(self, raw: bytes, from_name: str | None = None) -> Received:
        """Receives, judges and commits one envelope; a refusal changes nothing."""
        s = self.begin()
        session, contents = self.receive(s, env.read_envelope(raw), from_name)
        received = self.judge_all(s, session, contents)
        self.commit(s)
        return received

    def receive(self, s: Store, envelope: env.Envelope, from_name: str | None) -> tuple[Session, list[bytes]]:
        """§8.4 or §10.4, on the copy s."""
        kept, stamp = s.self.kept, s.stamp(self.now)
        live = {th: x for th, x in s.sessions.items() if not x.expired(kept)}
        s.change(opened=s.self.opened + 1)
        order = s.self.opened
        if envelope.header.init is None:
            state = next((x for x in live.values() if x.th[:16] == envelope.header.sid), None)
            if state is None:
                raise MeshError("session/unknown")
            session = self.session(state)
            contents = session.open(envelope, kept, order, None, stamp)
        else:
            accepted = hs.respond(self.responder(s, live), envelope, kept, self.draws, order, from_name, None, stamp)
            session, contents = accepted.session, accepted.contents
            if not accepted.repeated:
                self.accept_init(s, accepted)
        peer = session.state.peer
        s.met[peer.name, peer.ik] = True
        self.keep(s, session)
        return session, contents

    def responder(self, s: Store, live: dict[bytes, State]) -> hs.Responder:
        def by_th(th: bytes) -> Session | None:
            return self.session(live[th]) if th in live else None

        def remembered(p: Peer) -> int:
            pin = s.pinned((p.name, p.ik))
            return pin.suite if pin is not None else 0

        def pinned(name: str) -> bytes | None:
            return s.pins[name].ik if name in s.pins else None

        return hs.Responder(
            self.identity, list(s.bundles.values()), s.replays, list(s.one_times.values()), self.suites, remembered,
            by_th, lambda sid: any(th[:16] == sid for th in live), pinned, lambda p: self.accepts_peer(s, p),
            lambda p: self.room_for_init(s, (p.name, p.ik)), on_changed=self.raise_changed)

    def accepts_peer(self, s: Store, peer: Peer) -> bool:
        pin = s.pinned((peer.name, peer.ik))
        return self.allowed(self.policy.accept, pin.trust if pin is not None else UNKNOWN, False)

    def room_for_init(self, s: Store, key: PeerKey) -> bool:
        """MAX_INITS, with a hub only."""
        recent = [t for t in s.inits.get(key, ()) if 0 <= self.now - t < HOUR]
        return not self.has_hub or len(recent) < hs.MAX_INITS

    def accept_init(self, s: Store, accepted: hs.Accepted) -> None:
        """§8.4, step 9."""
        peer, session = accepted.peer, accepted.session
        assert accepted.bundle is not None
        if accepted.one_time is not None:
            del s.one_times[accepted.one_time.key.ref]
        else:
            s.replays[session.state.th] = accepted.bundle.bundle.ref
        pin = s.pins.get(peer.name, Pin(peer.ik, PINNED))
        s.pins[peer.name] = replace(pin, suite=max(pin.suite, session.state.suite))
        session.state = replace(session.state, founded=s.count())
        if self.has_hub:
            key = (peer.name, peer.ik)
            recent = [t for t in s.inits.get(key, ()) if 0 <= self.now - t < HOUR]
            s.inits[key] = (*recent, self.now)
        self.add_session(s, session)

    def judge_all(self, s: Store, session: Session, raw_contents: list[bytes]) -> Received:
        """§12.4, each content alone."""
        peer = session.state.peer
        key = (peer.name, peer.ik)
        contents: list[env.Content] = []
        receipts: list[Status] = []
        refused: list[str] = []
        for raw in raw_contents:
            j = judge(s, key, raw, self.now_ms, self.judge_policy(s, peer), self.room_in_inbox(s, key))
            if j.receipt is not None:
                s.due[key] = (*s.due.get(key, ()), j.receipt)[-MAX_IDS:]          # oldest out first
            if j.code is not None:
                refused.append(j.code)
            elif j.dispatch:
                assert j.content is not None
                c = j.content
                self.take(s, key, c)
                contents.append(c)
                self.keep(s, session, carried=True)
            elif j.content is not None:
                receipts += j.content.receipts
        pin = s.pinned(key)
        return Received(peer, pin.trust if pin is not None else UNKNOWN, contents, receipts, refused)

    def judge_policy(self, s: Store, peer: Peer) -> Callable[[int], bool]:
        age = self.policy.max_age

        def accepts(sent_ms: int) -> bool:
            if age is not None and sent_ms < self.now_ms - 1000 * age:
                return False
            return self.accepts_peer(s, peer)
        return accepts

    def room_in_inbox(self, s: Store, key: PeerKey) -> Callable[[int], bool]:
        """AGENT-45: strangers fill at most a quarter of the inbox."""
        def has_room(size: int) -> bool:
            if key in s.friends:
                return True
            theirs = [e for e in s.inbox.values() if (e.name, e.ik) not in s.friends]
            return (len(theirs) < MAX_INBOX // 4
                    and sum(len(e.body) for e in theirs) + size <= MAX_INBOX_BYTES // 4)
        return has_room

    def take(self, s: Store, key: PeerKey, c: env.Content) -> None:
        """AGENT-54; without a hub the caller of `open` is the inbox."""
        add_id(s, key, c.id, IdRow(c.sent_ms, 1, s.stamp(self.now)))
        if self.has_hub:
            s.inbox[s.count()] = Entry(*key, c.id, c.sent_ms, c.re, c.ask, c.body)
