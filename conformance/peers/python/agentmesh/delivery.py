"""§12.3 and §12.4 with a hub: the pump, probes, receipts. Without I/O."""

from __future__ import annotations

from dataclasses import replace

from . import envelope as env
from .errors import MeshError
from .founding import Founder
from .identity import fingerprint as fingerprint_of
from .judging import MAX_IDS
from .receiving import MAX_INBOX, MAX_INBOX_BYTES, Received
from .sealing import MAX_UNRECEIPTED, RESEAL_AFTER
from .session import Session
from .store import Entry, PeerKey, Pin, Probe, Store

RECEIPT_DELAY_MS, RECEIPT_BATCH = 200, 32  # AGENT-28 allows up to 1,000
PROBE_AFTER, PROBE_MAX, PROBE_CONNECTED = 600, 86_400, 60
UNDELIVERED_AFTER = 1_209_600


class Courier(Founder):
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
            elif a.retry is None and self.now - a.at >= 30:  # AGENT-15
                self.transmit(key)
        s = self.store
        keys = dict.fromkeys(
            [
                *s.due,
                *((x.peer.name, x.peer.ik) for x in s.sessions.values() if x.answer_due),
                *(k for k, _ in s.outbox),
            ]
        )
        for q in list(s.queue.values()):
            pin = s.pins.get(q.name)
            if pin is None:
                self.start_handshake(q.name, q.fingerprint, False)
            else:
                keys[q.name, q.ik or pin.ik] = None
        self.give_up_others()
        for key in keys:
            if key not in self.store.flights and key[0] not in self.fetching:
                self.next_envelope(key)

    def give_up_others(self) -> None:
        """AGENT-19: contents for another fingerprint than that of the key their name got."""
        pins = self.store.pins
        others = [
            n
            for n, q in self.store.queue.items()
            if q.fingerprint is not None
            and q.name in pins
            and fingerprint_of(pins[q.name].ik) != q.fingerprint
        ]
        if others:
            s = self.begin()
            self.give_up(s, [], others)
            self.commit(s)

    def next_envelope(self, key: PeerKey) -> None:
        s = self.begin()
        if self.probe_due(s, key):
            self.start_probe(s, key)
            return
        chosen = self.sending(s, key)
        for x in s.sessions_with(key):
            if x.answer_due and (chosen is None or x.th != chosen.state.th):  # AGENT-17
                self.staged = []
                self.take_off(s, key, self.session(x), [self.content(env.HEAL, b"")])
                return
        if chosen is None:
            waiting = [q for q in s.queue.values() if q.name == key[0]]
            again = [
                r
                for (k, _), r in s.outbox.items()
                if k == key and r.ok is not None and self.now - min(r.ok, self.now) > RESEAL_AFTER
            ]
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
        """Whether more is due than receipts or an answer that may wait a moment (AGENT-28)."""
        if any(q.name == key[0] and q.ik in (None, key[1]) for q in s.queue.values()):
            mids = {row.mid for (k, _), row in s.outbox.items() if k == key}
            if len(mids) < MAX_UNRECEIPTED:
                return True
        if any(
            k == key and self.reseal_due(row, chosen.state.th) for (k, _), row in s.outbox.items()
        ):
            return True
        if key not in s.due and not chosen.state.answer_due:
            return False
        since = self.due_since.setdefault(key, self.now_ms)
        return (
            not 0 <= self.now_ms - since < RECEIPT_DELAY_MS
            or len(s.due.get(key, ())) >= RECEIPT_BATCH
        )

    # --- probes (AGENT-22 to AGENT-24) ---------------------------------------------------------

    def counts_for_probe(self, s: Store, key: PeerKey) -> tuple[bool, bool]:
        """(some content counts, one of them is 600 s old)"""
        oks = [row.ok for (k, _), row in s.outbox.items() if k == key and row.ok is not None]
        chosen = self.sending(s, key)
        if (
            chosen is not None
            and chosen.state.heal_only
            and not chosen.confirmed
            and any(q.name == key[0] for q in s.queue.values())
        ):
            oks.append(chosen.state.created)
        return bool(oks), any(self.now - min(t, self.now) >= PROBE_AFTER for t in oks)

    def probe_due(self, s: Store, key: PeerKey) -> bool:
        _, old = self.counts_for_probe(s, key)
        clock = s.probes.get(key)
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
        for content_id, status in r.receipts:  # AGENT-49, AGENT-58
            row = s.outbox.pop((key, content_id), None)
            if row is not None:
                self.events.append(("receipt", (key[0], content_id, status)))  # AGENT-11
                if status == 1:
                    self.reported[key, content_id] = True
                    while len(self.reported) > MAX_IDS:
                        del self.reported[next(iter(self.reported))]
            elif status != 1 and self.reported.pop((key, content_id), False):
                self.events.append(("receipt", (key[0], content_id, status)))
        if key in s.probes and not self.counts_for_probe(s, key)[0]:
            del s.probes[key]
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
