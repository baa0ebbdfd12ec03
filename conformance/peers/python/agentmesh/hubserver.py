"""§11.4, the hub's side: one state machine, all rows in memory, time given by the caller."""
from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from . import bundle as bn
from . import encoding as enc
from . import hub
from .encoding import C
from .errors import MeshError
from .hub import Limits
from .identity import check_name
from .suite import Draws, H, check_ed25519, check_kem, check_x25519, ed25519_public, verify

POOL, ACCEPTED_AN_HOUR, FRESH, REFILL = 500, 1_000, 6, 20
HOUR, RESERVATION, DEDUPE = 3_600, 60, 600
RETRY = {9: 60, 11: 1, 14: 1}


class Fault(Exception):
    def __init__(self, number: int, retry: int | None = None, close: bool = False) -> None:
        super().__init__(hub.ERRORS[number])
        self.number = number
        self.retry = RETRY.get(number, 0) if retry is None else retry
        self.close = close


@dataclass
class Entry:
    ik: bytes
    bundle: bn.Bundle | None = None


@dataclass
class Mail:
    sender: str
    mid: bytes
    envelope: bytes
    time: int


@dataclass
class Rows:
    """The durable rows."""
    directory: dict[str, Entry] = field(default_factory=dict)
    owner: dict[bytes, str] = field(default_factory=dict)
    pool: dict[tuple[str, int], list[bn.OneTime]] = field(default_factory=dict)
    seen: dict[tuple[str, bytes], int] = field(default_factory=dict)
    accepted: dict[str, list[tuple[int, int]]] = field(default_factory=dict)      # (time, keys)
    reserved: dict[tuple[str, str, int], tuple[bn.OneTime, int]] = field(default_factory=dict)
    fresh: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    mail: dict[str, dict[int, Mail]] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)
    dedupe: dict[tuple[str, str, bytes], tuple[int, int | None]] = field(default_factory=dict)


@dataclass
class LinkRow:
    state: str = "new"
    hello: bytes = b""
    welcome: bytes = b""
    name: str = ""
    flight: set[int] = field(default_factory=set)
    tokens: int = 0
    last: int = 0


class Hub:
    def __init__(self, draws: Draws, secret: bytes, limits: Limits = Limits(), max_names: int | None = None) -> None:
        self.draws = draws
        self.secret = secret
        self.ik = ed25519_public(secret)
        self.limits = limits
        self.max_names = max_names
        self.rows = Rows()
        self.links: dict[str, LinkRow] = {}
        self._out: list[tuple[str, bytes]] = []
        self.closed: list[str] = []          # every link that was closed since the last restart

    def digest(self) -> bytes:
        return H(repr(self.rows).encode())

    # --- events --------------------------------------------------------------------------------

    def restart(self) -> None:
        self.links.clear()
        self.closed.clear()

    def close(self, link: str) -> None:
        self._close(link)

    def frame(self, link: str, raw: bytes, now: int, write_fails: bool = False) -> list[tuple[str, bytes]]:
        """The frames to send, as (link, frame). Links are opened by their first frame."""
        if link in self.closed:
            return []
        row = self.links.setdefault(link, LinkRow())
        self._out = []
        closed = list(self.closed)
        rows, links = copy.deepcopy(self.rows), copy.deepcopy(self.links)
        before = self.digest()
        try:
            self._handle(link, row, raw, now)
            if write_fails and self.digest() != before:
                raise Fault(14, close=row.state != "ready" or links[link].state != "ready")
        except Fault as f:
            self.rows, tokens = rows, row.tokens
            if f.number == 14:
                self.links = links
                row = self.links[link]
                row.tokens = tokens
            self._out, self.closed = [], closed
            rid = self._rid(raw) if row.state == "ready" else 0
            self._out.append((link, C([hub.ERR, rid, f.number, f.retry])))
            if f.close:
                self._close(link)
        return self._out

    def timer(self, now: int) -> list[tuple[str, bytes]]:
        self._out = []
        for name in list(self.rows.mail):
            self._deliver(name, now)
        return self._out

    def frame_length(self, length: int) -> bytes | None:
        """HUB-18 and HUB-19: the error for a length over TCP, after which the link is closed."""
        if length == 0:
            return C([hub.ERR, 0, 1, 0])
        if length > hub.MAX_FRAME:
            return C([hub.ERR, 0, 10, 0])
        return None

    def _close(self, link: str) -> None:
        self.links.pop(link, None)
        self.closed.append(link)

    @staticmethod
    def _rid(raw: bytes) -> int:
        try:
            rid = enc.decode(raw, limit=hub.MAX_FRAME)[1]
            return rid if isinstance(rid, int) and 1 <= rid <= hub.MAX_RID else 0
        except (MeshError, IndexError, TypeError):
            return 0

    # --- frames --------------------------------------------------------------------------------

    def _handle(self, link: str, row: LinkRow, raw: bytes, now: int) -> None:
        if len(raw) == 0:
            raise Fault(1, close=True)
        if len(raw) > hub.MAX_FRAME:
            raise Fault(10, close=True)
        try:
            frame = enc.decode(raw, limit=hub.MAX_FRAME)                         # 3
            kind = enc.uint(enc.array(frame, least=1)[0])
        except MeshError:
            raise Fault(1, close=True)
        if row.state != "ready":                                                 # 4
            if kind != {"new": hub.HELLO, "greeted": hub.AUTH}[row.state]:
                raise Fault(3, close=True)
        else:
            rate = self.limits.requests_per_s                                    # 5
            row.tokens = min(2 * rate, row.tokens + rate * max(0, now - row.last))
            row.last = now
            if row.tokens == 0:
                raise Fault(11)
            row.tokens -= 1
            if kind not in hub.REQUESTS:                                         # 6
                raise Fault(13)
            if self._rid(raw) == 0:                                              # 7
                raise Fault(1, close=True)
        try:
            hub.check_shape(frame)                                               # 8
        except MeshError:
            raise Fault(1, close=row.state != "ready")
        if kind == hub.HELLO:
            self._hello(link, row, raw, frame)
        elif kind == hub.AUTH:
            self._auth(link, row, frame, now)
        else:
            handler = {hub.PUT_BUNDLE: self._put_bundle, hub.PUT_ONE_TIME: self._put_one_time,
                       hub.GET_BUNDLE: self._get_bundle, hub.SEND: self._send, hub.ACK: self._ack,
                       hub.LIST: self._list, hub.PING: self._ping, hub.COUNTS: self._counts_request}[kind]
            handler(link, row, frame, now)

    def _ok(self, link: str, rid: int, result: Any) -> None:
        self._out.append((link, C([hub.OK, rid, result])))

    def _hello(self, link: str, row: LinkRow, raw: bytes, frame: list[Any]) -> None:
        common = set(frame[2]) & set(hub.VERSIONS)
        if not common:
            raise Fault(2, close=True)
        row.hello = raw
        row.welcome = hub.make_welcome(self.secret, self.ik, self.draws, raw, max(common), self.limits)
        row.state = "greeted"
        self._out.append((link, row.welcome))

    def _auth(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
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
        if self.rows.owner.get(ik, name) != name:
            raise Fault(4, close=True)
        if entry is None and self.max_names is not None and len(self.rows.directory) >= self.max_names:
            raise Fault(11, close=True)
        self.rows.directory.setdefault(name, Entry(ik))
        self.rows.owner[ik] = name
        for other, r in list(self.links.items()):
            if other != link and r.state == "ready" and r.name == name:
                self._out.append((other, C([hub.ERR, 0, 12, 0])))
                self._close(other)
        row.state, row.name = "ready", name
        row.tokens, row.last = 2 * self.limits.requests_per_s, now
        self._out.append((link, C([hub.READY, 0, self._counts(name, now)])))
        self._deliver(name, now)

    # --- requests ------------------------------------------------------------------------------

    def _put_bundle(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        try:
            b = bn.accept_pure(C(frame[2]), now)
        except MeshError:
            raise Fault(7)
        entry = self.rows.directory[row.name]
        if b.name != row.name or b.ik != entry.ik:
            raise Fault(7)
        stored = entry.bundle
        if stored is not None and (b.seq < stored.seq or (b.seq == stored.seq and b.body != stored.body)):
            raise Fault(8)
        if stored is None or b.seq > stored.seq:
            entry.bundle = b
        self._ok(link, frame[1], None)

    def _put_one_time(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        name, entry = row.name, self.rows.directory[row.name]
        keys: list[bn.OneTime] = []
        for item in frame[3]:
            try:
                raw = C(item)
                k = bn.read_one_time(raw)
                if k.name != name or k.ik != entry.ik or k.suite not in (1, 2) or (k.ek is None) != (k.suite == 1):
                    raise Fault(7)
                check_x25519(k.x)
                if k.ek is not None:
                    check_kem(k.ek)
                if not verify(k.ik, k.body, k.sig):
                    raise Fault(7)
                if now > k.not_after + 300 or k.not_after > now + bn.MAX_ONE_TIME_LIFETIME + 300:
                    raise Fault(7)
            except MeshError:
                raise Fault(7)
            if any(k.ref == other.ref for other in keys):
                raise Fault(7)
            if self.rows.seen.get((name, k.ref), -1) + 300 >= now:
                raise Fault(7)
            keys.append(k)
        drop = frame[2] == 1
        for suite in (1, 2):
            left = 0 if drop else len(self._live_pool(name, suite, now))
            if left + sum(k.suite == suite for k in keys) > POOL:
                raise Fault(10)
        recent = sum(n for t, n in self.rows.accepted.get(name, []) if now - t <= HOUR)
        if recent + len(keys) > ACCEPTED_AN_HOUR:
            raise Fault(11, HOUR)
        if drop:
            for suite in (1, 2):
                self.rows.pool.pop((name, suite), None)
            for key in [k for k in self.rows.reserved if k[1] == name]:
                del self.rows.reserved[key]
        for k in keys:
            self.rows.pool.setdefault((name, k.suite), []).append(k)
            self.rows.seen[name, k.ref] = k.not_after
        self.rows.accepted.setdefault(name, []).append((now, len(keys)))
        self._ok(link, frame[1], len(keys))

    def _live_pool(self, name: str, suite: int, now: int) -> list[bn.OneTime]:
        return [k for k in self.rows.pool.get((name, suite), []) if now <= k.not_after]

    def _get_bundle(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        _, rid, target, suites = frame
        entry = self.rows.directory.get(target)
        if entry is None or entry.bundle is None:
            raise Fault(6)
        b = entry.bundle
        suite = next((s for s in suites if s in b.suites), None)
        key: bn.OneTime | None = None
        low: bytes | None = None
        if suite is not None and target != row.name:
            slot = (row.name, target, suite)
            held = self.rows.reserved.get(slot)
            if held is not None and now - held[1] <= RESERVATION:
                key = held[0]
            else:
                times = [t for t in self.rows.fresh.get((row.name, target), []) if now - t <= HOUR]
                pool = self._live_pool(target, suite, now)
                if len(times) < FRESH and pool:
                    key = pool.pop(0)
                    self.rows.pool[target, suite] = pool
                    self.rows.reserved[slot] = (key, now)
                    self.rows.fresh[row.name, target] = times + [now]
                    if len(pool) <= REFILL:
                        low = C([hub.LOW_ONE_TIME, 0, suite, len(pool)])
        receipt = hub.make_receipt(self.secret, self.ik, b.name, b.ik, b.ref, b.seq, now)
        self._ok(link, rid, [enc.decode(b.raw), enc.decode(key.raw) if key else None, enc.decode(receipt)])
        if low is not None:
            other = self._ready_link(target)
            if other is not None:
                self._out.append((other, low))

    def _ready_link(self, name: str) -> str | None:
        return next((k for k, r in self.links.items() if r.state == "ready" and r.name == name), None)

    def _mail(self, name: str, now: int) -> dict[int, Mail]:
        """The mail of a name; what is past its ttl goes, with its dedupe row."""
        box = self.rows.mail.get(name, {})
        for mseq in [q for q, m in box.items() if now - m.time > self.limits.ttl_s]:
            m = box.pop(mseq)
            self.rows.dedupe.pop((m.sender, name, m.mid), None)
            link = self._ready_link(name)
            if link is not None:
                self.links[link].flight.discard(mseq)
        return box

    def _send(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        _, rid, to, mid, envelope = frame
        if not 1 <= len(envelope) <= self.limits.envelope:
            raise Fault(10)
        entry = self.rows.directory.get(to)
        if entry is None or entry.bundle is None:
            raise Fault(6)
        box = self._mail(to, now)
        row_key = (row.name, to, mid)
        known = self.rows.dedupe.get(row_key)
        if known is not None and (known[1] is None or now - known[1] <= DEDUPE):
            self._ok(link, rid, None)
            return
        own = [m for m in box.values() if m.sender == row.name]
        limits = self.limits
        if (len(box) + 1 > limits.mailbox_messages or len(own) + 1 > limits.per_sender
                or sum(len(m.envelope) for m in box.values()) + len(envelope) > limits.mailbox_bytes
                or sum(len(m.envelope) for m in own) + len(envelope) > limits.per_sender_bytes):
            raise Fault(9)
        mseq = self.rows.next.get(to, 1)
        self.rows.next[to] = mseq + 1
        self.rows.mail.setdefault(to, box)[mseq] = Mail(row.name, mid, envelope, now)
        self.rows.dedupe[row_key] = (mseq, None)
        self._ok(link, rid, None)
        self._deliver(to, now)

    def _deliver(self, name: str, now: int) -> None:
        link = self._ready_link(name)
        if link is None:
            return
        box, flight = self._mail(name, now), self.links[link].flight
        for mseq in sorted(box):
            if len(flight) >= self.limits.unacked:
                return
            if mseq not in flight:
                flight.add(mseq)
                self._out.append((link, C([hub.DELIVER, 0, mseq, box[mseq].sender, box[mseq].envelope])))

    def _ack(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        box = self._mail(row.name, now)
        for mseq in frame[2]:
            m = box.pop(mseq, None)
            if m is not None:
                self.rows.dedupe[m.sender, row.name, m.mid] = (mseq, now)
            row.flight.discard(mseq)
        self._ok(link, frame[1], None)
        self._deliver(row.name, now)

    def _list(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        names = sorted(n for n, e in self.rows.directory.items()
                       if e.bundle is not None and n.encode() > frame[2].encode())
        self._ok(link, frame[1], names[:256])

    def _ping(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        self._ok(link, frame[1], None)

    def _counts_request(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        self._ok(link, frame[1], self._counts(row.name, now))

    def _counts(self, name: str, now: int) -> list[Any]:
        b = self.rows.directory[name].bundle
        suites = [] if b is None else [p.suite for p in b.prekeys]
        return [len(self._mail(name, now)), [[s, len(self._live_pool(name, s, now))] for s in sorted(suites)],
                None if b is None else b.seq]
