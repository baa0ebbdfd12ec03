"""§12.3 and §12.4 with a hub: what is sealed and when, receipts, re-seals, probes. Without I/O."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable

from . import bundle as bn
from . import envelope as env
from .agent import MAX_INBOX, MAX_INBOX_BYTES, Received
from .errors import MeshError
from .identity import fingerprint as fingerprint_of
from .keeper import VERIFIED
from .judging import MAX_IDS, befriend
from .link import Found
from .publishing import Publisher
from .session import Session
from .store import Entry, Flight, PeerKey, Pin, Probe, Queued, Sent, Store

RECEIPT_DELAY_MS, RECEIPT_BATCH = 200, 32               # AGENT-28 allows up to 1,000
RESEAL_AFTER, SEND_BACKOFF = 60, 60
PROBE_AFTER, PROBE_MAX, PROBE_CONNECTED = 600, 86_400, 60
UNDELIVERED_AFTER = 1_209_600
MAX_UNRECEIPTED, MAX_SEALED_AFTER = 128, 32_768
HANDSHAKE_BACKOFF_MAX = 3_600
HEADER_ROOM = 4_200                                     # header of suite 2 with its init, heads and tag

Done = Callable[[bytes | MeshError], None]


@dataclass
class Attempt:
    """The last transmission of a flight on this link."""
    mid: bytes
    at: int
    retry: int | None = None            # after an ERR: not before


class Courier(Publisher):
    """An agent with a hub. `out` is what has to be written to the link, in order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.acks: list[int] = []
        self.held: list[tuple[int, str, bytes]] = []
        self.attempts: dict[PeerKey, Attempt] = {}
        self.due_since: dict[PeerKey, int] = {}
        self.backoff: dict[str, tuple[int, int]] = {}           # name: (not before, wait)
        self.fetching: dict[str, list[tuple[Callable[[Found], None], Done]]] = {}
        self.staged: list[tuple[int | None, bytes, bytes, Sent]] = []
        self.reported: dict[tuple[PeerKey, bytes], bool] = {}   # delivered; a 2 or 3 may follow

    def forget_link(self) -> None:
        self.acks, self.held = [], []
        self.attempts.clear()

    def fits(self, lengths: list[int]) -> bool:  # type: ignore[override]
        most = min(env.MAX_PADDED, self.limits.envelope - HEADER_ROOM)
        return len(lengths) <= env.MAX_CONTENTS and env.padded_length(env.inner_length(lengths)) <= most

    # --- send ----------------------------------------------------------------------------------

    def send(self, to: str, payload: bytes, re: bytes | None, ask: int, done: Done) -> None:
        """`done` gets the content id once it is queued, or the refusal."""
        try:
            name, fingerprint, content_id, content = self.make_content(to, payload, re, ask)
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
            row = Queued(name, pin.ik if pin else None, content_id, content, s.stamp(self.now), fingerprint)
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
                without()                                # as if the link had not been ready
            else:
                done(e)

        key = (name, pin.ik) if pin is not None else None
        busy = key is not None and (key in self.store.flights or self.sending(self.store, key) is not None)
        if self.is_ready and not busy:
            self.fetch(name, False, with_bundle, failed)
        else:
            without()

    # --- handshakes ----------------------------------------------------------------------------

    def fetch(self, name: str, probe: bool, then: Callable[[Found], None], failed: Done, again: bool = False) -> None:
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
                flags = 0                                # its fault is found by who uses it
            if not want_key and flags & bn.ONE_TIME_REQUIRED:                    # AGENT-24, AGENT-65
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

    def first_flight(self, name: str, found: Found, fingerprint: str | None, probe: bool,
                     change: Callable[[Store], None] | None = None) -> None:
        """A new session with its first envelope, in one commit (AGENT-18, HANDSHAKE-6); with a session by
        now, only the change."""
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
        heal_only = probe or (session.state.init[2] is None and key in s.met)    # §8.2
        session.state = replace(session.state, heal_only=heal_only)
        if key in s.flights:                                                     # AGENT-14: next in turn
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
            self.events.append(("problem", e.code if isinstance(e, MeshError) else ""))

        def use(found: Found) -> None:
            self.first_flight(name, found, fingerprint, probe)
        self.fetch(name, probe, use, failed)

    # --- what is sealed ------------------------------------------------------------------------

    def batch(self, s: Store, key: PeerKey, session: Session) -> list[bytes]:
        """Receipts, contents to be sealed again, the queue within the window (§12.3)."""
        contents = self.receipts_due(s, key, [])
        th = session.state.th
        rows: list[tuple[int | None, bytes, bytes, Sent]] = []
        window = {row.mid for (k, _), row in s.outbox.items() if k == key}
        for (k, content_id), row in sorted(s.outbox.items(), key=lambda x: x[1].number):
            if k == key and self.reseal_due(row, th):
                rows.append((None, content_id, row.content, replace(row, th=th, sealed_on=(*row.sealed_on, th))))
        oldest = min((row.number for (k, _), row in s.outbox.items() if k == key), default=None)
        if len(window) < MAX_UNRECEIPTED:
            for n, q in s.queue.items():
                if q.name == key[0] and q.ik in (None, key[1]):
                    if oldest is not None and s.self.counter - oldest >= MAX_SEALED_AFTER:
                        break
                    if q.fingerprint is not None and q.fingerprint != fingerprint_of(key[1]):
                        continue
                    rows.append((n, q.id, q.content, Sent(q.content, q.time, s.count(), b"", th, (th,))))
        self.staged = []
        for row_n in rows:
            if not self.fits([*(len(c) for c in contents), len(row_n[2])]):
                break
            contents.append(row_n[2])
            self.staged.append(row_n)
        return contents

    def reseal_due(self, row: Sent, th: bytes) -> bool:
        """AGENT-21."""
        return (row.th != th and th not in row.sealed_on and row.ok is not None
                and self.now - min(row.ok, self.now) > RESEAL_AFTER)

    def take_off(self, s: Store, key: PeerKey, session: Session, contents: list[bytes]) -> None:
        """AGENT-13: one commit of contents, envelope and session; then it leaves."""
        staged, self.staged = self.staged, []
        if staged:
            befriend(s, key)
        sealed = session.seal(contents)
        self.keep(s, session, carried=bool(staged))
        mid = env.read_envelope(sealed).header.guard
        for n, content_id, _, row in staged:
            if n is not None:
                del s.queue[n]
            s.outbox[key, content_id] = replace(row, mid=mid, ok=None)
        s.flights[key] = Flight(mid, sealed, s.stamp(self.now))
        if key not in s.due:
            self.due_since.pop(key, None)
        self.commit(s)
        self.transmit(key)

    def transmit(self, key: PeerKey) -> None:
        flight = self.store.flights[key]
        self.attempts[key] = Attempt(flight.mid, self.now)
        assert self.link is not None

        def current() -> bool:
            f = self.store.flights.get(key)
            return f is not None and f.mid == flight.mid

        def ok(_: Any) -> None:
            if current():
                s = self.begin()
                del s.flights[key]
                for (k, content_id), row in list(s.outbox.items()):
                    if k == key and row.mid == flight.mid:
                        s.outbox[k, content_id] = replace(row, ok=self.now)
                self.commit(s)
                self.attempts.pop(key, None)
                self.pump()

        def error(e: MeshError, retry: int) -> None:
            if current() and e.code == "hub/too-large":                          # AGENT-16
                s = self.begin()
                del s.flights[key]
                self.give_up(s, [k for k, row in s.outbox.items() if k[0] == key and row.mid == flight.mid], [])
                self.commit(s)
                self.attempts.pop(key, None)
            elif current() and e.code != "hub/unreachable":
                self.attempts[key] = Attempt(flight.mid, self.now, self.now + max(SEND_BACKOFF, retry))
        self.ask(self.link.send(key[0], flight.envelope), ok, error, patient=True)

    def give_up(self, s: Store, sent: list[tuple[PeerKey, bytes]], queued: list[int]) -> None:
        """Reported as agent/undelivered, and erased."""
        for k in sent:
            del s.outbox[k]
            self.events.append(("agent/undelivered", (k[0][0], k[1])))
        for n in queued:
            q = s.queue.pop(n)
            self.events.append(("agent/undelivered", (q.name, q.id)))

    # --- the pump ------------------------------------------------------------------------------

    def pump(self) -> None:
        """Seals and sends what is due, as far as the link and AGENT-14 allow."""
        if not self.is_ready:
            return
        self.send_acks()
        for key, flight in self.store.flights.items():
            a = self.attempts.get(key)
            if a is None or a.mid != flight.mid or (a.retry is not None and not self.now < a.retry):
                self.transmit(key)
            elif a.retry is None and self.now - a.at >= 30:                      # AGENT-15
                self.transmit(key)
        s = self.store
        keys = dict.fromkeys([*s.due, *((x.peer.name, x.peer.ik) for x in s.sessions.values() if x.answer_due),
                              *(k for k, _ in s.outbox)])
        for q in list(s.queue.values()):
            pin = s.pins.get(q.name)
            if pin is None:
                self.start_handshake(q.name, q.fingerprint, False)
            else:
                keys[q.name, q.ik or pin.ik] = None
        for key in keys:
            if key not in self.store.flights and key[0] not in self.fetching:
                self.next_envelope(key)

    def next_envelope(self, key: PeerKey) -> None:
        s = self.begin()
        if self.probe_due(s, key):
            self.start_probe(s, key)
            return
        chosen = self.sending(s, key)
        for x in s.sessions_with(key):
            if x.answer_due and (chosen is None or x.th != chosen.state.th):     # AGENT-17
                self.staged = []
                self.take_off(s, key, self.session(x), [self.content(env.HEAL, b"")])
                return
        if chosen is None:
            waiting = [q for q in s.queue.values() if q.name == key[0]]
            again = [r for (k, _), r in s.outbox.items() if k == key and r.ok is not None
                     and self.now - min(r.ok, self.now) > RESEAL_AFTER]
            if waiting or again:
                self.start_handshake(key[0], waiting[0].fingerprint if waiting else None, False)
            return
        if chosen.state.heal_only and not chosen.confirmed:
            return
        if not self.urgent(s, key, chosen):
            return
        contents = self.batch(s, key, chosen)
        if not contents and chosen.state.answer_due:
            contents = [self.content(env.HEAL, b"")]
        if contents:
            self.take_off(s, key, chosen, contents)

    def urgent(self, s: Store, key: PeerKey, chosen: Session) -> bool:
        """Whether more is due than receipts or an answer that may still wait a moment (AGENT-28)."""
        if any(q.name == key[0] and q.ik in (None, key[1]) for q in s.queue.values()):
            mids = {row.mid for (k, _), row in s.outbox.items() if k == key}
            if len(mids) < MAX_UNRECEIPTED:
                return True
        if any(k == key and self.reseal_due(row, chosen.state.th) for (k, _), row in s.outbox.items()):
            return True
        if key not in s.due and not chosen.state.answer_due:
            return False
        since = self.due_since.setdefault(key, self.now_ms)
        return not 0 <= self.now_ms - since < RECEIPT_DELAY_MS or len(s.due.get(key, ())) >= RECEIPT_BATCH

    # --- probes (AGENT-22 to AGENT-24) ---------------------------------------------------------

    def counts_for_probe(self, s: Store, key: PeerKey) -> tuple[bool, bool]:
        """(some content counts, one of them is 600 s old)"""
        oks = [row.ok for (k, _), row in s.outbox.items() if k == key and row.ok is not None]
        chosen = self.sending(s, key)
        if chosen is not None and chosen.state.heal_only and not chosen.confirmed \
                and any(q.name == key[0] for q in s.queue.values()):
            oks.append(chosen.state.created)
        return bool(oks), any(self.now - min(t, self.now) >= PROBE_AFTER for t in oks)

    def probe_due(self, s: Store, key: PeerKey) -> bool:
        some, old = self.counts_for_probe(s, key)
        clock = s.probes.get(key)
        if not some:
            s.probes.pop(key, None)
        if not old or self.ready_since is None or not self.drained:
            return False
        if self.now - min(self.ready_since, self.now) < PROBE_CONNECTED:
            return False
        return clock is None or self.now - min(clock.last, self.now) >= clock.wait

    def start_probe(self, s: Store, key: PeerKey) -> None:
        clock = s.probes.get(key)
        wait = PROBE_AFTER if clock is None else min(2 * clock.wait, PROBE_MAX)
        s.probes[key] = Probe(self.now, wait)
        self.commit(s)
        self.start_handshake(key[0], None, True)

    # --- what is received ----------------------------------------------------------------------

    def inbox_full(self) -> bool:
        box = self.store.inbox
        return len(box) >= MAX_INBOX or sum(len(e.body) for e in box.values()) >= MAX_INBOX_BYTES

    def on_deliver(self, mseq: int, sender: str, envelope: bytes) -> None:
        """AGENT-40, AGENT-41, AGENT-44."""
        if self.held or self.inbox_full():
            self.held.append((mseq, sender, envelope))
            return
        try:
            self.open(envelope, sender)
        except MeshError as e:
            self.events.append(("refused", e.code))
        self.acks.append(mseq)
        self.count_handled()

    def judge_all(self, s: Store, session: Session, raw_contents: list[bytes]) -> Received:
        r = super().judge_all(s, session, raw_contents)
        key = (r.sender.name, r.sender.ik)
        self.events += [("refused", code) for code in r.refused]
        for content_id, status in r.receipts:                                    # AGENT-49, AGENT-58
            row = s.outbox.pop((key, content_id), None)
            if row is not None:
                self.events.append(("receipt", (key[0], content_id, 1)))
                if status != 1:
                    self.events.append(("receipt", (key[0], content_id, status)))
                if status == 1:
                    self.reported[key, content_id] = True
                    while len(self.reported) > MAX_IDS:
                        del self.reported[next(iter(self.reported))]
            elif status != 1 and self.reported.pop((key, content_id), False):
                self.events.append(("receipt", (key[0], content_id, status)))
        if key in s.due:
            self.due_since.setdefault(key, self.now_ms)
        return r

    def send_acks(self) -> None:
        while self.acks:
            part, self.acks = self.acks[:256], self.acks[256:]
            assert self.link is not None
            self.ask(self.link.ack(part), lambda _: None, lambda e, retry: None)

    def pending(self) -> list[tuple[int, Entry, Pin | None]]:
        """What the handlers have not had yet, in order (AGENT-46)."""
        s = self.store
        return [(n, e, s.pinned((e.name, e.ik))) for n, e in s.inbox.items()]

    def done(self, n: int, failed: bool = False) -> None:
        """All handlers returned: the entry goes, and with ask = 1 a second receipt is due."""
        s = self.begin()
        e = s.inbox.pop(n)
        key = (e.name, e.ik)
        if e.ask == 1:
            status = 3 if failed else 2
            row = s.ids.get((key, e.id))
            if row is not None:
                s.ids[key, e.id] = replace(row, status=status)
            s.due[key] = (*s.due.get(key, ()), (e.id, status))[-MAX_IDS:]
            self.due_since.setdefault(key, self.now_ms)
        self.commit(s)
        while self.held and not self.inbox_full():
            held, self.held = self.held, []
            for item in held:
                self.on_deliver(*item)
        self.pump()

    # --- time ----------------------------------------------------------------------------------

    def sweep(self) -> None:
        """AGENT-25."""
        s, kept = self.store, self.store.self.kept

        def over(t: int) -> bool:
            return kept - t >= UNDELIVERED_AFTER
        sent = [k for k, row in s.outbox.items() if over(row.time)]
        queued = [n for n, q in s.queue.items() if over(q.time)]
        flights = [k for k, f in s.flights.items() if over(f.time)]
        if sent or queued or flights:
            s = self.begin()
            self.give_up(s, sent, queued)
            for k in flights:
                del s.flights[k]
            self.commit(s)
