"""§11.4, the hub's side: one state machine without I/O, time given by the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import encoding as enc
from . import hub
from .encoding import C
from .errors import MeshError
from .hub import Limits
from .hubrows import Entry, HubDisk, Mail, Rows
from .identity import check_name
from .suite import Draws, check_ed25519, ed25519_public, verify

RETRY = {9: 60, 11: 1, 14: 1}
After = Callable[[], None]  # what follows from a frame once its write is durable


class Fault(Exception):
    """An ERR in reply to a frame; it has no effect but perhaps the end of the link."""

    def __init__(self, number: int, retry: int | None = None, close: bool = False) -> None:
        super().__init__(hub.ERRORS[number])
        self.number = number
        self.retry = RETRY.get(number, 0) if retry is None else retry
        self.close = close


@dataclass
class LinkRow:
    state: str = "new"
    hello: bytes = b""
    welcome: bytes = b""
    name: str = ""
    flight: set[int] = field(default_factory=set)
    tokens: int = 0
    last: int = 0


class Core:
    """Opening of links, checks of frames, delivery. The requests are in hubrequests.py."""

    def __init__(
        self,
        draws: Draws,
        secret: bytes,
        limits: Limits = Limits(),
        max_names: int | None = None,
        disk: HubDisk | None = None,
    ) -> None:
        self.draws = draws
        self.secret = secret
        self.ik = ed25519_public(secret)
        self.limits = limits
        self.max_names = max_names
        self.disk = disk
        self.rows = disk.load() if disk is not None else Rows()
        self.links: dict[str, LinkRow] = {}
        self.ready: dict[str, str] = {}  # name to its ready link
        self.closed: list[str] = []  # every link that was closed since the last restart
        self.out: list[tuple[str, bytes]] = []
        self.after: list[After] = []

    def digest(self) -> bytes:
        return self.rows.digest()

    # --- events --------------------------------------------------------------------------------

    def restart(self) -> None:
        self.links.clear()
        self.ready.clear()
        self.closed.clear()

    def close(self, link: str) -> None:
        row = self.links.pop(link, None)
        if row is not None and self.ready.get(row.name) == link:
            del self.ready[row.name]
        self.closed.append(link)

    def frame(
        self, link: str, raw: bytes, now: int, write_fails: bool = False
    ) -> list[tuple[str, bytes]]:
        """The frames to send, as (link, frame). Links are opened by their first frame."""
        if link in self.closed:
            return []
        row = self.links.setdefault(link, LinkRow())
        self.out, self.after = [], []
        try:
            self.handle(link, row, raw, now)
            self.write(write_fails, close=row.state != "ready")
        except Fault as f:
            self.rows.undo()
            rid = self.rid(raw) if row.state == "ready" else 0
            self.out = [(link, C([hub.ERR, rid, f.number, f.retry]))]
            if f.close:
                self.close(link)
        else:
            self.follow()
        return self.out

    def write(self, fails: bool, close: bool) -> None:
        """HUB-14, HUB-15."""
        if self.rows.changed():
            try:
                if fails:
                    raise sqlite3.OperationalError("asked to fail")
                if self.disk is not None:
                    self.disk.commit(self.rows)
            except sqlite3.Error as e:
                raise Fault(14, close=close) from e

    def follow(self) -> None:
        self.rows.settle()
        for act in self.after:
            act()
        self.after = []

    def timer(self, now: int) -> list[tuple[str, bytes]]:
        """Frees mail past its lifetime, and delivers what then has room."""
        self.out, self.after = [], []
        for name in list(self.rows.mail.boxes):
            self.mail(name, now)
            self.after.append(lambda name=name: self.deliver(name))  # type: ignore[misc]
        try:
            self.write(False, False)
        except Fault:
            self.rows.undo()
            return []
        self.follow()
        return self.out

    # --- frames --------------------------------------------------------------------------------

    @staticmethod
    def rid(raw: bytes) -> int:
        try:
            rid = enc.decode(raw, limit=hub.MAX_FRAME)[1]
            return rid if isinstance(rid, int) and 1 <= rid <= hub.MAX_RID else 0
        except (MeshError, IndexError, TypeError):
            return 0

    def handle(self, link: str, row: LinkRow, raw: bytes, now: int) -> None:
        if len(raw) == 0:  # 1
            raise Fault(1, close=True)
        if len(raw) > hub.MAX_FRAME:  # 2
            raise Fault(10, close=True)
        try:
            frame = enc.decode(raw, limit=hub.MAX_FRAME)  # 3
            kind = enc.uint(enc.array(frame, least=1)[0])
        except MeshError:
            raise Fault(1, close=True)
        if row.state != "ready":  # 4
            if kind != {"new": hub.HELLO, "greeted": hub.AUTH}[row.state]:
                raise Fault(3, close=True)
        else:
            rate = self.limits.requests_per_s  # 5
            row.tokens = min(2 * rate, row.tokens + rate * max(0, now - row.last))
            row.last = now
            if row.tokens == 0:
                raise Fault(11)
            row.tokens -= 1
            if kind not in hub.REQUESTS:  # 6
                raise Fault(13)
            rid = frame[1] if len(frame) > 1 else None  # 7
            if not isinstance(rid, int) or not 1 <= rid <= hub.MAX_RID:
                raise Fault(1, close=True)
        try:
            hub.check_shape(frame)  # 8
        except MeshError:
            raise Fault(1, close=row.state != "ready")
        if kind == hub.HELLO:
            self.hello(link, row, raw, frame)
        elif kind == hub.AUTH:
            self.auth(link, row, frame, now)
        else:
            self.request(link, row, frame, now)

    def request(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        raise NotImplementedError

    def reply(self, link: str, frame: list[Any]) -> None:
        """Leaves after the write."""
        raw = C(frame)
        self.after.append(lambda: self.out.append((link, raw)))

    # --- opening a link ------------------------------------------------------------------------

    def hello(self, link: str, row: LinkRow, raw: bytes, frame: list[Any]) -> None:
        common = set(frame[2]) & set(hub.VERSIONS)
        if not common:
            raise Fault(2, close=True)
        row.hello = raw
        row.welcome = hub.make_welcome(
            self.secret, self.ik, self.draws, raw, max(common), self.limits
        )
        row.state = "greeted"
        self.out.append((link, row.welcome))

    def auth(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        _, _, name, ik, sig = frame
        try:
            check_name(name)
            check_ed25519(ik)
        except MeshError:
            raise Fault(4, close=True)
        if not verify(ik, hub.auth_bytes(row.hello, row.welcome, self.ik, name, ik), sig):
            raise Fault(4, close=True)
        entry = self.rows.directory.get(name)
        if entry is not None and entry.ik != ik:
            raise Fault(5, close=True)
        if (self.rows.owner.get(ik) or name) != name:
            raise Fault(4, close=True)
        if entry is None:
            if self.max_names is not None and len(self.rows.directory.rows) >= self.max_names:
                raise Fault(11, close=True)
            self.rows.directory.put(name, Entry(ik))
            self.rows.owner.put(ik, name)
        counts = self.counts(name, now)
        self.after.append(lambda: self.opened(link, row, name, counts, now))

    def opened(self, link: str, row: LinkRow, name: str, counts: list[Any], now: int) -> None:
        other = self.ready.get(name)
        if other is not None:
            self.out.append((other, C([hub.ERR, 0, 12, 0])))
            self.close(other)
        row.state, row.name = "ready", name
        row.tokens, row.last = 2 * self.limits.requests_per_s, now
        self.ready[name] = link
        self.out.append((link, C([hub.READY, 0, counts])))
        self.deliver(name)

    def counts(self, name: str, now: int) -> list[Any]:
        entry = self.rows.directory.get(name)
        b = entry.bundle if entry is not None else None
        suites = [] if b is None else [p.suite for p in b.prekeys]
        return [
            len(self.mail(name, now)),
            [[s, len(self.live_pool(name, s, now))] for s in sorted(suites)],
            None if b is None else b.seq,
        ]

    def live_pool(self, name: str, suite: int, now: int) -> tuple[Any, ...]:
        return tuple(k for k in self.rows.pool.get((name, suite)) or () if now <= k.not_after)

    # --- mail ----------------------------------------------------------------------------------

    def mail(self, name: str, now: int) -> dict[int, Mail]:
        """The mail of a name; what is past its ttl goes, with its dedupe row."""
        box = self.rows.mail.boxes.get(name, {})
        for mseq, m in [(q, m) for q, m in box.items() if now - m.time > self.limits.ttl_s]:
            self.rows.mail.pop((name, mseq))
            self.rows.dedupe.pop((m.sender, name, m.mid))
        return box

    def deliver(self, name: str) -> None:
        """After a write: fills the window of the name's ready link."""
        link = self.ready.get(name)
        if link is None:
            return
        box, flight = self.rows.mail.boxes.get(name, {}), self.links[link].flight
        flight.intersection_update(box)
        if len(flight) >= self.limits.unacked:
            return
        for mseq in sorted(box.keys() - flight):
            if len(flight) >= self.limits.unacked:
                return
            flight.add(mseq)
            self.out.append((link, C([hub.DELIVER, 0, mseq, box[mseq].sender, box[mseq].envelope])))
