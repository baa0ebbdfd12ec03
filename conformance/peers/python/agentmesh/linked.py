"""§11: an agent's link to its hub, without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import hub
from .agent import Agent
from .errors import MeshError
from .link import Link
from .store import Store

PUBLISHED_ONE_TIME, REFILL_ONE_TIME = 100, 20
MAX_SEQ_AHEAD = 2_678_400
RESERVATION_LIFETIME = 60
REPLY_TIMEOUT, PING_INTERVAL = 30, 60
DRAIN_TIMEOUT = 3_600
PUBLISH_BACKOFF, PUBLISH_BACKOFF_MAX = 60, 3_600
MAINTENANCE = 60

Ok = Callable[[Any], None]
Error = Callable[[MeshError, int], None]


@dataclass
class Asked:
    ok: Ok
    error: Error
    at: int
    patient: bool  # a SEND, which has a rule of its own (AGENT-15)


class Linked(Agent):
    has_hub = True

    def __init__(
        self,
        *args: Any,
        limits: hub.Limits = hub.Limits(),
        hub_fingerprint: str | None = None,
        **options: Any,
    ) -> None:
        self.hub_fingerprint = hub_fingerprint  # given at configuration (HUB-8)
        self.link: Link | None = None
        self.drained = False
        self.undrained_since: int | None = None
        self.maintained: int | None = None
        super().__init__(*args, **options)
        self.own_limits = limits
        self.out: list[bytes] = []
        self.asked: dict[int, Asked] = {}
        self.ready_since: int | None = None
        self.to_drain = 0
        self.last_sent = 0
        self.publish_retry: tuple[int, int] | None = None  # (not before, wait)
        self.keys_retry: tuple[int, int] | None = None
        self.filling = False
        self.dropping = False
        self.swept: int | None = None

    @property
    def limits(self) -> hub.Limits:
        return self.link.limits if self.link is not None else self.own_limits

    @property
    def is_ready(self) -> bool:
        return self.link is not None and self.link.state == "ready"

    # --- the link ------------------------------------------------------------------------------

    def linked(self) -> None:
        """A transport is there: begins the login."""
        pin = None if self.hub_fingerprint is not None else self.store.self.hub_ik
        self.link = Link(self.identity, self.draws, pin, self.own_limits, self.hub_fingerprint)
        self.asked = {}
        self.out = [self.link.start()]
        self.last_sent = self.now

    def unlinked(self) -> None:
        """The transport is gone; open requests end with hub/unreachable."""
        self.link, self.ready_since, self.filling, self.drained = None, None, False, False
        asked, self.asked, self.out = self.asked, {}, []
        self.forget_link()
        for a in asked.values():
            a.error(MeshError("hub/unreachable"), 0)

    def forget_link(self) -> None:
        """What else ends with a link."""

    def ask(self, request: tuple[int, bytes], ok: Ok, error: Error, patient: bool = False) -> None:
        rid, frame = request
        self.asked[rid] = Asked(ok, error, self.now, patient)
        self.out.append(frame)
        self.last_sent = self.now

    def frame(self, raw: bytes) -> None:
        """One frame of the hub. After a MeshError the link is lost with its code."""
        assert self.link is not None
        replies, events = self.link.receive(raw)
        self.out += replies
        for kind, *fields in events:
            if kind == "ready":
                self.on_ready(*fields)
            elif kind == "ok":
                rid, _, result = fields
                self.asked.pop(rid).ok(result)
            elif kind == "err":
                rid, _, code, retry = fields
                self.asked.pop(rid).error(MeshError(code), retry)
            elif kind == "deliver":
                self.on_deliver(*fields)
            elif kind == "low":
                self.refill()
        self.pump()

    def tick(self) -> None:
        """Several times a second. A MeshError ends the link (HUB-12)."""
        if self.swept is None or not 0 <= self.now - self.swept < MAINTENANCE:
            self.swept = self.now
            self.commit(self.begin())
            self.sweep()
        if not self.is_ready:
            return
        if any(not a.patient and self.now - a.at >= REPLY_TIMEOUT for a in self.asked.values()):
            raise MeshError("hub/unreachable", "no reply")
        assert self.link is not None
        if self.now - self.last_sent >= PING_INTERVAL:
            self.ask(self.link.request(hub.PING), lambda _: None, lambda e, retry: None)
        if self.bundle_due():
            self.publish()
            self.put_bundle()
        elif self.publish_retry is not None and not self.now < self.publish_retry[0]:
            self.put_bundle()
        elif self.keys_retry is not None and not self.now < self.keys_retry[0]:
            self.refill()
        self.pump()

    def move_clock(self, now: int) -> None:
        """What became due is done by the next tick."""
        self.now_ms = 1000 * now
        self.swept = None

    # --- what the classes above do -------------------------------------------------------------

    def publish_at(self, hub_seq: int | None) -> None:
        raise NotImplementedError

    def put_bundle(self) -> None:
        raise NotImplementedError

    def refill(self) -> None:
        raise NotImplementedError

    def pump(self) -> None:
        raise NotImplementedError

    def on_deliver(self, mseq: int, sender: str, envelope: bytes) -> None:
        raise NotImplementedError

    def sweep(self) -> None:
        raise NotImplementedError

    # --- READY, drained ------------------------------------------------------------------------

    def on_ready(self, counts: list[Any], hub_ik: bytes) -> None:
        if self.store.self.hub_ik != hub_ik:  # HUB-8
            s = self.begin()
            s.change(hub_ik=hub_ik)
            self.commit(s)
        self.ready_since = self.now
        self.to_drain = min(counts[0], self.own_limits.mailbox_messages)
        if self.undrained_since is None:
            self.undrained_since = self.now
        self.check_drained()
        self.publish_at(counts[2])

    def count_handled(self) -> None:
        self.to_drain -= 1
        self.check_drained()

    def check_drained(self) -> None:
        if self.to_drain <= 0 and not self.drained:
            self.drained, self.undrained_since = True, None
            self.maintained = None  # AGENT-30

    def may_erase(self) -> bool:
        late = self.undrained_since is not None and self.now - self.undrained_since >= DRAIN_TIMEOUT
        return self.is_ready and (self.drained or late)

    def maintain(self, s: Store) -> None:
        """With a hub at most once a minute, since a commit is made for each envelope."""
        if self.maintained is None or not 0 <= self.now - self.maintained < MAINTENANCE:
            self.maintained = self.now
            super().maintain(s)
