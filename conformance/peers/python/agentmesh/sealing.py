"""§12.3: which contents go into one envelope, and its way to the hub's OK."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from . import envelope as env
from .errors import MeshError
from .identity import fingerprint as fingerprint_of
from .judging import befriend
from .link import Found
from .padding import MAX_PADDED, padded_length
from .publishing import Publisher
from .session import Session
from .store import Flight, PeerKey, Sent, Store

RESEAL_AFTER, SEND_BACKOFF = 60, 60
MAX_UNRECEIPTED, MAX_SEALED_AFTER = 128, 32_768
HEADER_ROOM = 4_200  # header of suite 2 with its init, heads and tag

Done = Callable[[bytes | MeshError], None]


@dataclass
class Attempt:
    """The last transmission of a flight on this link."""

    mid: bytes
    at: int
    retry: int | None = None  # after an ERR: not before


class Sealer(Publisher):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.acks: list[int] = []
        self.held: list[tuple[int, str, bytes]] = []
        self.attempts: dict[PeerKey, Attempt] = {}
        self.due_since: dict[PeerKey, int] = {}
        self.backoff: dict[str, tuple[int, int]] = {}  # name: (not before, wait)
        self.fetching: dict[str, list[tuple[Callable[[Found], None], Done]]] = {}
        self.staged: list[tuple[int | None, bytes, bytes, Sent]] = []
        self.reported: dict[tuple[PeerKey, bytes], bool] = {}  # delivered; a 2 or 3 may follow

    def forget_link(self) -> None:
        self.acks, self.held = [], []
        self.attempts.clear()

    def fits(self, lengths: list[int]) -> bool:  # type: ignore[override]
        most = min(MAX_PADDED, self.limits.envelope - HEADER_ROOM)
        return len(lengths) <= env.MAX_CONTENTS and padded_length(env.inner_length(lengths)) <= most

    # --- what is sealed ------------------------------------------------------------------------

    def batch(self, s: Store, key: PeerKey, session: Session) -> list[bytes]:
        """Receipts, contents to be sealed again, the queue within the window (§12.3)."""
        contents = self.receipts_due(s, key, [])
        th = session.state.th
        rows: list[tuple[int | None, bytes, bytes, Sent]] = []
        window = {row.mid for (k, _), row in s.outbox.items() if k == key}
        for (k, content_id), row in sorted(s.outbox.items(), key=lambda x: x[1].number):
            if k == key and self.reseal_due(row, th):
                rows.append(
                    (
                        None,
                        content_id,
                        row.content,
                        replace(row, th=th, sealed_on=(*row.sealed_on, th)),
                    )
                )
        oldest = min((row.number for (k, _), row in s.outbox.items() if k == key), default=None)
        if len(window) < MAX_UNRECEIPTED:
            for n, q in s.queue.items():
                if q.name == key[0] and q.ik in (None, key[1]):
                    if oldest is not None and s.self.counter - oldest >= MAX_SEALED_AFTER:
                        break
                    if q.fingerprint is not None and q.fingerprint != fingerprint_of(key[1]):
                        continue
                    rows.append(
                        (n, q.id, q.content, Sent(q.content, q.time, s.count(), b"", th, (th,)))
                    )
        self.staged = []
        for row_n in rows:
            if not self.fits([*(len(c) for c in contents), len(row_n[2])]):
                break
            contents.append(row_n[2])
            self.staged.append(row_n)
        return contents

    def reseal_due(self, row: Sent, th: bytes) -> bool:
        """AGENT-21."""
        return (
            row.th != th
            and th not in row.sealed_on
            and row.ok is not None
            and self.now - min(row.ok, self.now) > RESEAL_AFTER
        )

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
            if current() and e.code == "hub/too-large":  # AGENT-16
                s = self.begin()
                del s.flights[key]
                self.give_up(
                    s,
                    [k for k, row in s.outbox.items() if k[0] == key and row.mid == flight.mid],
                    [],
                )
                self.commit(s)
                self.attempts.pop(key, None)
            elif current() and e.code != "hub/unreachable":
                self.attempts[key] = Attempt(
                    flight.mid, self.now, self.now + max(SEND_BACKOFF, retry)
                )

        self.ask(self.link.send(key[0], flight.envelope), ok, error, patient=True)

    def give_up(self, s: Store, sent: list[tuple[PeerKey, bytes]], queued: list[int]) -> None:
        """Reported as agent/undelivered, and erased."""
        for k in sent:
            del s.outbox[k]
            self.events.append(("agent/undelivered", (k[0][0], k[1])))
        for n in queued:
            q = s.queue.pop(n)
            self.events.append(("agent/undelivered", (q.name, q.id)))
