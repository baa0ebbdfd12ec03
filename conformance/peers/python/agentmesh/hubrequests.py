"""§11.4, requests of a ready link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import bundle as bn
from . import encoding as enc
from . import hub
from . import onetime as ot
from .encoding import C
from .errors import MeshError
from .hubcore import Core, Fault, LinkRow
from .hubrows import Dedupe, Mail, Reserved
from .receipts import make_receipt
from .suite import check_kem, check_x25519, verify

POOL, ACCEPTED_AN_HOUR, FRESH, REFILL = 500, 1_000, 6, 20
HOUR, RESERVATION, DEDUPE = 3_600, 60, 600


class Hub(Core):
    def request(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        handler = {
            hub.PUT_BUNDLE: self.put_bundle,
            hub.PUT_ONE_TIME: self.put_one_time,
            hub.GET_BUNDLE: self.get_bundle,
            hub.SEND: self.send,
            hub.ACK: self.ack,
            hub.LIST: self.list_names,
            hub.PING: self.ping,
            hub.COUNTS: self.get_counts,
        }[frame[0]]
        handler(link, row, frame, now)

    def ok(self, link: str, rid: int, result: Any) -> None:
        self.reply(link, [hub.OK, rid, result])

    # --- directory -----------------------------------------------------------------------------

    def put_bundle(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        try:
            b = bn.accept_pure(C(frame[2]), now)
        except MeshError:
            raise Fault(7)
        entry = self.rows.directory.get(row.name)
        assert entry is not None
        if b.name != row.name or b.ik != entry.ik:
            raise Fault(7)
        stored = entry.bundle
        if stored is not None and (
            b.seq < stored.seq or (b.seq == stored.seq and b.body != stored.body)
        ):
            raise Fault(8)
        if stored is None or b.seq > stored.seq:
            self.rows.directory.put(row.name, replace(entry, bundle=b))
        self.ok(link, frame[1], None)

    def read_key(self, name: str, ik: bytes, item: Any, now: int) -> ot.OneTime:
        """The checks of §6 that need no bundle, and those of the owner (HUB-38)."""
        try:
            k = ot.read(C(item))
            if (
                k.name != name
                or k.ik != ik
                or k.suite not in (1, 2)
                or (k.ek is None) != (k.suite == 1)
            ):
                raise Fault(7)
            check_x25519(k.x)
            if k.ek is not None:
                check_kem(k.ek)
            if not verify(k.ik, k.body, k.sig):
                raise Fault(7)
        except MeshError:
            raise Fault(7)
        if (
            now > k.not_after + bn.CLOCK_SKEW
            or k.not_after > now + ot.MAX_ONE_TIME_LIFETIME + bn.CLOCK_SKEW
        ):
            raise Fault(7)
        last = self.rows.seen.get((name, k.ref))
        if last is not None and now <= last + bn.CLOCK_SKEW:
            raise Fault(7)
        return k

    def put_one_time(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        name, entry = row.name, self.rows.directory.get(row.name)
        assert entry is not None
        keys = [self.read_key(name, entry.ik, item, now) for item in frame[3]]
        if len({k.ref for k in keys}) != len(keys):
            raise Fault(7)
        drop = frame[2] == 1
        pools = {s: () if drop else self.live_pool(name, s, now) for s in (1, 2)}
        for suite in (1, 2):
            pools[suite] += tuple(k for k in keys if k.suite == suite)
            if len(pools[suite]) > POOL:
                raise Fault(10)
        recent = tuple((t, n) for t, n in self.rows.accepted.get(name) or () if now - t <= HOUR)
        if sum(n for _, n in recent) + len(keys) > ACCEPTED_AN_HOUR:
            raise Fault(11, HOUR)
        if drop:
            for key in [k for k in self.rows.reserved.rows if k[1] == name]:
                self.rows.reserved.pop(key)
        for suite, pool in pools.items():
            if pool:
                self.rows.pool.put((name, suite), pool)
            else:
                self.rows.pool.pop((name, suite))
        for k in keys:
            self.rows.seen.put((name, k.ref), k.not_after)
        if keys:
            self.rows.accepted.put(name, (*recent, (now, len(keys))))
        self.ok(link, frame[1], len(keys))

    def get_bundle(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        _, rid, target, suites = frame
        entry = self.rows.directory.get(target)
        if entry is None or entry.bundle is None:
            raise Fault(6)
        b = entry.bundle
        suite = next((s for s in suites if s in b.suites), None)
        key = left = None
        if suite is not None and target != row.name:
            key, left = self.serve_key(row.name, target, suite, now)
        receipt = make_receipt(self.secret, self.ik, b.name, b.ik, b.ref, b.seq, now)
        self.ok(
            link,
            rid,
            [enc.decode(b.raw), enc.decode(key.raw) if key else None, enc.decode(receipt)],
        )
        other = self.ready.get(target)
        if left is not None and left <= REFILL and other is not None:
            self.reply(other, [hub.LOW_ONE_TIME, 0, suite, left])

    def serve_key(
        self, who: str, target: str, suite: int, now: int
    ) -> tuple[ot.OneTime | None, int | None]:
        """(key or None, keys left if one was taken): HUB-43, HUB-44."""
        held = self.rows.reserved.get((who, target, suite))
        if held is not None and now - held.time <= RESERVATION:
            return held.key, None
        times = tuple(t for t in self.rows.fresh.get((who, target)) or () if now - t <= HOUR)
        pool = self.live_pool(target, suite, now)
        if len(times) >= FRESH or not pool:
            return None, None
        self.rows.pool.put((target, suite), pool[1:])
        self.rows.reserved.put((who, target, suite), Reserved(pool[0], now))
        self.rows.fresh.put((who, target), (*times, now))
        return pool[0], len(pool) - 1

    def list_names(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        names = sorted(
            n
            for n, e in self.rows.directory.rows.items()
            if e.bundle is not None and n.encode() > frame[2].encode()
        )
        self.ok(link, frame[1], names[:256])

    # --- mail ----------------------------------------------------------------------------------

    def send(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        _, rid, to, mid, envelope = frame
        limits = self.limits
        if not 1 <= len(envelope) <= limits.envelope:
            raise Fault(10)
        entry = self.rows.directory.get(to)
        if entry is None or entry.bundle is None:
            raise Fault(6)
        box = self.mail(to, now)
        known = self.rows.dedupe.get((row.name, to, mid))
        if known is not None and (known.acked is None or now - known.acked <= DEDUPE):
            self.ok(link, rid, None)
            return
        own = [len(m.envelope) for m in box.values() if m.sender == row.name]
        size = len(envelope)
        if (
            len(box) >= limits.mailbox_messages
            or len(own) >= limits.per_sender
            or sum(len(m.envelope) for m in box.values()) + size > limits.mailbox_bytes
            or sum(own) + size > limits.per_sender_bytes
        ):
            raise Fault(9)
        mseq = self.rows.next.get(to) or 1
        self.rows.next.put(to, mseq + 1)
        self.rows.mail.put((to, mseq), Mail(row.name, mid, envelope, now))
        self.rows.dedupe.put((row.name, to, mid), Dedupe(mseq))
        self.ok(link, rid, None)
        self.after.append(lambda: self.deliver(to))

    def ack(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        self.mail(row.name, now)
        for mseq in frame[2]:
            m = self.rows.mail.pop((row.name, mseq))
            if m is not None:
                self.rows.dedupe.put((m.sender, row.name, m.mid), Dedupe(mseq, now))
        self.ok(link, frame[1], None)
        self.after.append(lambda: self.deliver(row.name))

    # --- link ----------------------------------------------------------------------------------

    def ping(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        self.ok(link, frame[1], None)

    def get_counts(self, link: str, row: LinkRow, frame: list[Any], now: int) -> None:
        self.ok(link, frame[1], self.counts(row.name, now))
