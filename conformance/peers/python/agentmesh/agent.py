"""§12: an agent that seals and opens; complete without a hub."""

from __future__ import annotations

from dataclasses import replace

from . import bundle as bn
from . import encoding as enc
from . import envelope as env
from . import handshake as hs
from . import identity as idn
from . import onetime as ot
from .errors import MeshError
from .identity import Peer
from .judging import befriend
from .keeper import TRUST_NAMES, UNKNOWN, VERIFIED, Policy, Snapshot
from .padding import MAX_PADDED
from .receiving import Received, Receiver
from .session import Session
from .store import PeerKey, Pin, Store
from .transfer import import_state

__all__ = ["Agent", "MeshError", "Policy", "Received", "Snapshot", "TRUST_NAMES", "import_state"]


class Agent(Receiver):
    # --- what is sent --------------------------------------------------------------------------

    def connect(self, raw: bytes, fingerprint: str | None = None) -> Peer:
        """connectWithBundle: accepts, pins and keeps the bundle (BUNDLE-24)."""
        try:
            b = self.accept_bundle(raw, None, fingerprint)
        except MeshError as e:
            if e.code == "bundle/equivocation":
                s = self.begin()
                self.keep_lie(s, bn.read_bundle(raw))
                self.commit(s)
            raise
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

    def make_content(
        self, to: str, payload: bytes, re: bytes | None, ask: int
    ) -> tuple[str, str | None, bytes, bytes]:
        """The first checks of `send`: (name, fingerprint, content id, content)."""
        name, fingerprint = idn.read_address(to)
        return name, fingerprint, *self.encode_once(payload, re, ask)

    def encode_once(self, payload: bytes, re: bytes | None, ask: int) -> tuple[bytes, bytes]:
        """(content id, content): the same bytes for however many peers (AGENT-10)."""
        try:
            enc.decode_payload(payload)
        except MeshError as e:
            raise MeshError("agent/payload", str(e)) from e
        content_id = self.draws.draw("content-id", 16)
        content = env.encode_content(env.APPLICATION, content_id, self.now_ms, re, ask, payload)
        if len(content) > enc.MAX_CONTENT:
            raise MeshError("agent/payload", "too large")
        return content_id, content

    def check_policy(self, name: str, fingerprint: str | None) -> Pin | None:
        """The last checks of `send`: the pin against the address, then the send policy."""
        pin = self.store.pins.get(name)
        if pin is not None and fingerprint is not None and fingerprint != idn.fingerprint(pin.ik):
            raise MeshError("identity/fingerprint")
        trust = VERIFIED if fingerprint is not None else pin.trust if pin is not None else UNKNOWN
        if not self.allowed(self.policy.send, trust, True):
            raise MeshError("identity/untrusted")
        return pin

    def seal(
        self, to: str, payload: bytes, re: bytes | None = None, ask: int = 0
    ) -> tuple[bytes, bytes]:
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
        sealed = session.seal(self.receipts_due(s, key, [content], most=1) + [content])
        self.keep(s, session, carried=True)
        self.commit(s)
        return sealed, content_id

    def found(self, s: Store, b: bn.Bundle, one_time: bytes | None) -> Session:
        """A handshake as initiator (§8.3), and what BUNDLE-24 commits with it."""
        used = frozenset(s.used)
        least = self.least_suite((b.name, b.ik))
        i = hs.initiate(
            self.identity,
            b,
            one_time,
            self.suites,
            least,
            self.draws,
            self.now,
            used,
            stamp=s.stamp(self.now),
        )
        self.remember(s, b, i.suite, False)
        if i.otk_ref is not None:
            assert one_time is not None
            s.used[i.otk_ref] = ot.read(one_time).not_after
        i.session.state = replace(i.session.state, founded=s.count())
        self.add_session(s, i.session)
        return i.session

    @staticmethod
    def fits(lengths: list[int]) -> bool:
        """Whether contents of these lengths have room in one envelope."""
        return len(lengths) <= env.MAX_CONTENTS and env.inner_length(lengths) + 1 <= MAX_PADDED

    def receipts_due(
        self, s: Store, key: PeerKey, behind: list[bytes], most: int = env.MAX_CONTENTS
    ) -> list[bytes]:
        """Up to `most` receipt contents for what is due, as far as they fit before `behind`."""
        contents: list[bytes] = []
        due = s.due.pop(key, ())
        after = [len(c) for c in behind]
        while due and len(contents) < most:
            body = env.encode_receipts(due[: env.MAX_RECEIPTS])
            length = len(env.encode_content(env.RECEIPT, bytes(16), self.now_ms, None, 0, body))
            if not self.fits([*(len(c) for c in contents), length, *after]):
                break
            contents.append(self.content(env.RECEIPT, body))
            due = due[env.MAX_RECEIPTS :]
        if due:
            s.due[key] = due
        return contents

    def content(self, kind: int, body: bytes) -> bytes:
        """A heal or a receipt content, made when it is sealed."""
        return env.encode_content(
            kind, self.draws.draw("content-id", 16), self.now_ms, None, 0, body
        )
