"""§12.3: `send`, and handshakes with a bundle from the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import bundle as bn
from . import envelope as env
from . import identity as idn
from .errors import MeshError
from .keeper import VERIFIED
from .link import Found
from .sealing import SEND_BACKOFF, Done, Sealer
from .store import PeerKey, Queued, Store

HANDSHAKE_BACKOFF_MAX = 3_600


class Founder(Sealer):
    # --- send ----------------------------------------------------------------------------------

    def send(
        self, to: str | list[str], payload: bytes, re: bytes | None, ask: int, done: Done
    ) -> None:
        """`done` gets the content id once it is queued for everybody, or the first refusal."""
        try:
            names = dict(idn.read_address(one) for one in ([to] if isinstance(to, str) else to))
            content_id, content = self.encode_once(payload, re, ask)
        except MeshError as e:
            done(e)
            return
        answers: list[bytes | MeshError] = []

        def one_done(answer: bytes | MeshError) -> None:
            answers.append(answer)
            if len(answers) == len(names):
                done(next((a for a in answers if isinstance(a, MeshError)), content_id))

        for name, fingerprint in names.items():
            self.offer(name, fingerprint, content_id, content, one_done)

    def offer(
        self, name: str, fingerprint: str | None, content_id: bytes, content: bytes, done: Done
    ) -> None:
        """The content for one peer."""
        try:
            if not self.fits([len(content)]):
                raise MeshError("agent/payload", "above the envelope limit")
            pin = self.check_policy(name, fingerprint)
        except MeshError as e:
            done(e)
            return

        def queue(s: Store) -> None:
            pin = s.pins.get(name)
            if pin is not None and fingerprint is not None:
                s.pins[name] = pin = replace(pin, trust=VERIFIED)
            row = Queued(
                name, pin.ik if pin else None, content_id, content, s.stamp(self.now), fingerprint
            )
            s.queue[s.count()] = row

        def with_bundle(found: Found) -> None:
            self.first_flight(name, found, fingerprint, False, queue)
            done(content_id)
            self.pump()

        def without() -> None:
            s = self.begin()
            queue(s)
            self.commit(s)
            done(content_id)
            self.pump()

        def failed(e: bytes | MeshError) -> None:
            if isinstance(e, MeshError) and e.code == "hub/unreachable":
                without()  # as if the link had not been ready
            else:
                done(e)

        key = (name, pin.ik) if pin is not None else None
        busy = key is not None and (
            key in self.store.flights or self.sending(self.store, key) is not None
        )
        if self.is_ready and not busy:
            self.fetch(name, False, with_bundle, failed)
        else:
            without()

    # --- handshakes ----------------------------------------------------------------------------

    def fetch(
        self,
        name: str,
        probe: bool,
        then: Callable[[Found], None],
        failed: Done,
        again: bool = False,
    ) -> None:
        """GET_BUNDLE, one at a time for each name; errors of `then` are its failure."""
        waiting = self.fetching.setdefault(name, [])
        waiting.append((then, failed))
        if len(waiting) > 1:
            return
        want_key = again or not (probe or self.after_import())

        def ok(found: Found) -> None:
            try:
                flags = bn.read_bundle(found.bundle).flags
            except MeshError:
                flags = 0  # its fault is found by who uses it
            if not want_key and flags & bn.ONE_TIME_REQUIRED:  # AGENT-24, AGENT-65
                first, *others = self.fetching.pop(name)
                self.fetch(name, probe, *first, again=True)
                self.fetching[name] += others
                return
            for use, fail in self.fetching.pop(name):
                try:
                    use(found)
                except MeshError as e:
                    fail(e)

        def error(e: MeshError, retry: int) -> None:
            for _, fail in self.fetching.pop(name):
                fail(e)

        assert self.link is not None
        self.ask(self.link.get_bundle(name, self.suites if want_key else ()), ok, error)

    def first_flight(
        self,
        name: str,
        found: Found,
        fingerprint: str | None,
        probe: bool,
        change: Callable[[Store], None] | None = None,
    ) -> None:
        """A new session with its first envelope, in one commit (AGENT-18, HANDSHAKE-6).
        Where there is a session by now, only the change is made."""
        s = self.begin()
        pin = s.pins.get(name)
        if not probe and pin is not None and self.sending(s, (name, pin.ik)) is not None:
            if change is not None:
                change(s)
            self.commit(s)
            return
        b = self.accept_found(name, found, fingerprint)
        s = self.begin()
        key = (b.name, b.ik)
        verified = fingerprint is not None
        trust = VERIFIED if verified else self.trust_of(s, key)
        if not self.allowed(self.policy.send, trust, True):
            raise MeshError("identity/untrusted")
        session = self.found(s, b, found.one_time)
        if verified:
            s.pins[name] = replace(s.pins[name], trust=VERIFIED)
        s.cards[name] = b.raw
        if change is not None:
            change(s)
        assert session.state.init is not None
        heal_only = probe or (session.state.init[2] is None and key in s.met)  # §8.2
        session.state = replace(session.state, heal_only=heal_only)
        if key in s.flights:  # AGENT-14: next in turn
            raise MeshError("hub/unreachable", "an envelope for this peer awaits its OK")
        contents = [self.content(env.HEAL, b"")] if heal_only else self.batch(s, key, session)
        self.take_off(s, key, session, contents or [self.content(env.HEAL, b"")])
        self.backoff.pop(name, None)

    def trust_of(self, s: Store, key: PeerKey) -> int:
        pin = s.pinned(key)
        return pin.trust if pin is not None else 0

    def start_handshake(self, name: str, fingerprint: str | None, probe: bool) -> None:
        """By the pump; a failure is tried again after 60 s, doubling (AGENT-18)."""
        not_before, wait = self.backoff.get(name, (0, 0))
        if name in self.fetching or self.now < not_before <= self.now + HANDSHAKE_BACKOFF_MAX:
            return

        def failed(e: bytes | MeshError) -> None:
            pause = min(max(2 * wait, SEND_BACKOFF), HANDSHAKE_BACKOFF_MAX)
            self.backoff[name] = (self.now + pause, pause)
            code = e.code if isinstance(e, MeshError) else ""
            self.events.append(("problem", code))
            if code in ("identity/fingerprint", "identity/untrusted"):  # AGENT-19
                s = self.begin()
                unbound = [n for n, q in s.queue.items() if q.name == name and q.ik is None]
                self.give_up(s, [], [n for n in unbound if s.queue[n].fingerprint == fingerprint])
                self.commit(s)

        def use(found: Found) -> None:
            self.first_flight(name, found, fingerprint, probe)

        self.fetch(name, probe, use, failed)
