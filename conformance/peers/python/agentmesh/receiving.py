"""§12.4, and §8.2 as to what a new session puts out: what an agent does with an envelope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from . import envelope as env
from . import handshake as hs
from .errors import MeshError
from .identity import Peer
from .judging import MAX_IDS, add_id, judge
from .keeper import HOUR, PINNED, UNKNOWN, Keeper
from .session import Session, sending_session
from .state import State
from .store import Entry, IdRow, PeerKey, Pin, Status, Store

MAX_SESSIONS, MAX_STRANGER_SESSIONS, MAX_STRANGER_SKIPPED = 4, 1_000, 20_000
MAX_INBOX, MAX_INBOX_BYTES = 10_000, 268_435_456


@dataclass(frozen=True)
class Received:
    sender: Peer
    trust: int
    contents: list[env.Content]
    receipts: list[Status]
    refused: list[str]


class Receiver(Keeper):
    # --- what is received ----------------------------------------------------------------------

    def open(self, raw: bytes, from_name: str | None = None) -> Received:
        """Receives, judges and commits one envelope; a refusal changes nothing."""
        s = self.begin()
        session, contents = self.receive(s, env.read_envelope(raw), from_name)
        received = self.judge_all(s, session, contents)
        self.commit(s)
        return received

    def receive(
        self, s: Store, envelope: env.Envelope, from_name: str | None
    ) -> tuple[Session, list[bytes]]:
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
            hub = self.has_hub or from_name is not None
            accepted = hs.respond(
                self.responder(s, live, hub),
                envelope,
                kept,
                self.draws,
                order,
                from_name,
                None,
                stamp,
            )
            session, contents = accepted.session, accepted.contents
            if not accepted.repeated:
                self.accept_init(s, accepted, hub)
        peer = session.state.peer
        s.met[peer.name, peer.ik] = True
        self.keep(s, session)
        return session, contents

    def responder(self, s: Store, live: dict[bytes, State], hub: bool) -> hs.Responder:
        def by_th(th: bytes) -> Session | None:
            return self.session(live[th]) if th in live else None

        def remembered(p: Peer) -> int:
            pin = s.pinned((p.name, p.ik))
            return pin.suite if pin is not None else 0

        def pinned(name: str) -> bytes | None:
            return s.pins[name].ik if name in s.pins else None

        return hs.Responder(
            self.identity,
            list(s.bundles.values()),
            s.replays,
            list(s.one_times.values()),
            self.suites,
            remembered,
            by_th,
            lambda sid: any(th[:16] == sid for th in live),
            pinned,
            lambda p: self.accepts_peer(s, p),
            lambda p: not hub or self.room_for_init(s, (p.name, p.ik)),
            on_changed=self.raise_changed,
        )

    def accepts_peer(self, s: Store, peer: Peer) -> bool:
        pin = s.pinned((peer.name, peer.ik))
        return self.allowed(self.policy.accept, pin.trust if pin is not None else UNKNOWN, False)

    def room_for_init(self, s: Store, key: PeerKey) -> bool:
        """MAX_INITS, for what came from a hub."""
        recent = [t for t in s.inits.get(key, ()) if 0 <= self.now - t < HOUR]
        return len(recent) < hs.MAX_INITS

    def accept_init(self, s: Store, accepted: hs.Accepted, hub: bool) -> None:
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
        if hub:
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
        due: dict[Status, None] = {}  # each once for this envelope (AGENT-29)
        for raw in raw_contents:
            j = judge(
                s, key, raw, self.now_ms, self.judge_policy(s, peer), self.room_in_inbox(s, key)
            )
            if j.receipt is not None:
                due[j.receipt] = None
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
        if due:
            s.due[key] = (*s.due.get(key, ()), *due)[-MAX_IDS:]  # oldest out first
        pin = s.pinned(key)
        return Received(
            peer, pin.trust if pin is not None else UNKNOWN, contents, receipts, refused
        )

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
            return (
                len(theirs) < MAX_INBOX // 4
                and sum(len(e.body) for e in theirs) + size <= MAX_INBOX_BYTES // 4
            )

        return has_room

    def take(self, s: Store, key: PeerKey, c: env.Content) -> None:
        """AGENT-54; without a hub the caller of `open` is the inbox."""
        add_id(s, key, c.id, IdRow(c.sent_ms, 1, s.stamp(self.now)))
        if self.has_hub:
            s.inbox[s.count()] = Entry(*key, c.id, c.sent_ms, c.re, c.ask, c.body)

    # --- sessions ------------------------------------------------------------------------------

    def sending(self, s: Store, key: PeerKey) -> Session | None:
        sessions = [self.session(x) for x in s.sessions_with(key)]
        return sending_session(sessions, s.self.kept, s.stamp(self.now))

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
        strangers = [
            x
            for x in s.sessions.values()
            if (x.peer.name, x.peer.ik) not in s.friends and x.th != state.th
        ]
        strangers.sort(key=lambda x: x.last_use)
        if len(strangers) >= MAX_STRANGER_SESSIONS:
            del s.sessions[strangers.pop(0).th]
        excess = sum(len(x.skipped) for x in strangers) + len(state.skipped) - MAX_STRANGER_SKIPPED
        for x in strangers:
            if excess > 0 and x.skipped:
                s.sessions[x.th] = replace(x, skipped=x.skipped[excess:])
                excess -= len(x.skipped)
