"""§12.3, Publishing: the bundle and the one-time keys at the hub, and what it serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import bundle as bn
from . import hub
from . import onetime as ot
from . import receipts as rc
from .errors import MeshError
from .keeper import HOUR, MAX_LIVE_BUNDLES
from .link import Found
from .linked import Linked

PUBLISHED_ONE_TIME, REFILL_ONE_TIME = 100, 20
MAX_SEQ_AHEAD = 2_678_400
RESERVATION_LIFETIME = 60
PUBLISH_BACKOFF, PUBLISH_BACKOFF_MAX = 60, 3_600


class Publisher(Linked):
    # --- publishing ----------------------------------------------------------------------------

    def publish_at(self, hub_seq: int | None) -> None:
        """After READY (AGENT-31, AGENT-32)."""
        if self.bundle_due():
            self.publish()
        newest = self.newest_bundle()
        explained = not newest.published and (hub_seq is None or hub_seq < newest.bundle.seq)
        if hub_seq != newest.bundle.seq and not explained:
            me = self.store.self
            if (
                self.now - min(me.renewed, self.now) >= HOUR
                and len(self.store.bundles) < MAX_LIVE_BUNDLES
            ):
                self.publish()
                s = self.begin()
                s.change(renewed=self.now, drop=True)
                self.commit(s)
        if not self.newest_bundle().published:
            self.put_bundle()
        else:
            self.refill()

    def put_bundle(self) -> None:
        assert self.link is not None
        b = self.newest_bundle()
        wait = self.publish_retry[1] if self.publish_retry is not None else 0
        self.publish_retry = None

        def ok(_: Any) -> None:
            if b.bundle.ref in self.store.bundles:
                s = self.begin()
                s.bundles[b.bundle.ref] = replace(s.bundles[b.bundle.ref], published=True)
                self.commit(s)
            self.refill()

        def error(e: MeshError, retry: int) -> None:
            pause = min(max(2 * wait, PUBLISH_BACKOFF, retry), PUBLISH_BACKOFF_MAX)
            self.publish_retry = (self.now + pause, pause)
            self.events.append(("problem", e.code))
            if e.code == "hub/bundle-stale":
                self.look_up_own()

        self.ask(self.link.put_bundle(b.bundle.raw), ok, error)

    def look_up_own(self) -> None:
        """BUNDLE-8: the hub's seq counts only with the own signature, and if not absurd."""

        def ok(found: Found) -> None:
            try:
                b = bn.read_bundle(found.bundle)
            except MeshError:
                return
            own = b.ik == self.identity.ik and b.name == self.identity.name
            if own and bn.signed_well(b) and self.store.self.seq < b.seq < self.now + MAX_SEQ_AHEAD:
                s = self.begin()
                s.change(seq=b.seq, drop=True)
                self.commit(s)
                self.publish()
                self.put_bundle()

        assert self.link is not None
        self.ask(self.link.get_bundle(self.identity.name, ()), ok, lambda e, retry: None)

    def refill(self) -> None:
        """AGENT-34: asks COUNTS, then fills each suite that is low."""
        if self.filling:
            return
        self.filling = True
        assert self.link is not None

        def failed(e: MeshError, retry: int) -> None:
            self.filling = False

        self.ask(self.link.request(hub.COUNTS), self.fill, failed)

    def fill(self, counts: list[Any]) -> None:
        self.filling = False
        left = {suite: n for suite, n in counts[1]}
        for suite in self.suites:
            drop = self.store.self.drop and not self.dropping  # once, until acknowledged (AGENT-33)
            have = 0 if drop else left.get(suite, 0)
            if have > REFILL_ONE_TIME or suite not in left:
                continue
            keys = self.make_one_times(suite, min(PUBLISHED_ONE_TIME - have, 100))
            if not keys:
                continue
            if drop:
                left, self.dropping = dict.fromkeys(left, 0), True
            self.put_keys(keys, drop)

    def put_keys(self, keys: list[ot.OneTime], drop: bool) -> None:
        assert self.link is not None
        wait = self.keys_retry[1] if self.keys_retry is not None else 0
        self.keys_retry = None

        def ok(_: Any) -> None:
            if drop:
                s = self.begin()
                s.change(drop=False)
                self.commit(s)
                self.dropping = False

        def error(e: MeshError, retry: int) -> None:
            s = self.begin()
            self.events.append(("problem", e.code))
            if drop:
                self.dropping = False
            if e.code != "hub/unreachable":  # AGENT-35
                for k in keys:
                    s.one_times.pop(k.ref, None)
                pause = min(max(2 * wait, PUBLISH_BACKOFF, retry), PUBLISH_BACKOFF_MAX)
                self.keys_retry = (self.now + pause, pause)  # other keys, as AGENT-31 says
            self.commit(s)

        self.ask(self.link.put_one_time(drop, [k.raw for k in keys]), ok, error)

    def after_import(self) -> bool:
        """AGENT-65."""
        at = self.store.self.imported
        return at is not None and self.now - min(at, self.now) <= RESERVATION_LIFETIME

    # --- found ---------------------------------------------------------------------------------

    def accept_found(self, name: str, found: Found, fingerprint: str | None) -> bn.Bundle:
        """HUB-58 to HUB-60: bundle, then receipt; the one-time key is judged by the handshake."""
        failure: MeshError | None = None
        try:
            self.accept_bundle(found.bundle, name, fingerprint)
        except MeshError as e:
            failure = e
        hub_ik = self.store.self.hub_ik
        assert hub_ik is not None
        try:
            b = bn.read_bundle(found.bundle)
            rc.check_receipt(found.receipt, b, hub_ik, self.now)
        except MeshError as e:
            raise failure or e
        if failure is None or failure.code in (
            "identity/changed",
            "bundle/rollback",
            "bundle/equivocation",
        ):
            s = self.begin()
            first, _ = s.directory.get((name, hub_ik), (found.receipt, b""))
            s.directory[name, hub_ik] = (first, found.receipt)
            if failure is not None and failure.code == "bundle/equivocation":
                self.keep_lie(s, b)
            self.commit(s)
        if failure is not None:
            raise failure
        return b
