"""§12.2: the rows of an agent's store. Rows are replaced and never changed in place, so that a
commit is the difference between two stores."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from .bundle import Known
from .handshake import LiveBundle, LiveOneTime
from .state import State
from .suite import H

KEPT_WINDOW, JUMP_DELAY = 604_800, 86_400

PeerKey = tuple[str, bytes]
Status = tuple[bytes, int]  # content id, receipt status


@dataclass(frozen=True)
class Self:
    """The row `self`: identity, clocks, hub pin, counters, and what is owed to the hub."""

    name: str
    ik_secret: bytes
    dk_secret: bytes
    kept: int
    jump: int | None = None
    seq: int = 0
    hub_ik: bytes | None = None
    opened: int = 0  # behind `order` of a session
    counter: int = 0  # order of founding, queue, inbox
    imported: int | None = None  # until the first publishing after an import (AGENT-32, AGENT-65)
    drop: bool = False  # the next PUT_ONE_TIME has drop 1 (AGENT-33)
    renewed: int = 0  # last bundle made because of READY (AGENT-32)
    offline: int | None = None  # `kept` when the last link was drained (BUNDLE-4)

    def at(self, now: int) -> Self:
        """§2: `kept` at the beginning of a commit."""
        if abs(now - self.kept) <= KEPT_WINDOW:
            return replace(self, kept=now, jump=None)
        if self.jump is None or now < self.jump:
            return replace(self, jump=now)
        if now - self.jump >= JUMP_DELAY:
            return replace(self, kept=now, jump=None)
        return self


@dataclass(frozen=True)
class Pin:
    ik: bytes
    trust: int
    suite: int = 0


@dataclass(frozen=True)
class IdRow:
    sent_ms: int
    status: int
    time: int


@dataclass(frozen=True)
class Probe:
    """The probe clock of a peer (AGENT-22)."""

    last: int
    wait: int


@dataclass(frozen=True)
class Queued:
    """A content that `send` accepted and that is not yet sealed."""

    name: str
    ik: bytes | None
    id: bytes
    content: bytes
    time: int  # stamp of the `send`
    fingerprint: str | None = None  # of the address, until the content is bound to an ik


@dataclass(frozen=True)
class Sent:
    """A content that is sealed and not yet receipted; `mid` is that of its latest copy."""

    content: bytes
    time: int
    number: int  # the order in which contents were first sealed
    mid: bytes
    th: bytes
    sealed_on: tuple[bytes, ...]  # every session that it was sealed on
    ok: int | None = None  # time of the hub's OK of the latest copy


@dataclass(frozen=True)
class Flight:
    """The one envelope for a peer that awaits the hub's OK."""

    mid: bytes
    envelope: bytes
    time: int  # stamp


@dataclass(frozen=True)
class Entry:
    """A content in the inbox."""

    name: str
    ik: bytes
    id: bytes
    sent_ms: int
    re: bytes | None
    ask: int
    body: bytes


@dataclass
class Store:
    me: dict[str, Self]
    bundles: dict[bytes, LiveBundle] = field(default_factory=dict)
    replays: dict[bytes, bytes] = field(default_factory=dict)  # TH to bundle-ref
    one_times: dict[bytes, LiveOneTime] = field(default_factory=dict)
    made: dict[int, tuple[int, int]] = field(default_factory=dict)  # number: (time, keys made)
    used: dict[bytes, int] = field(default_factory=dict)  # otk-ref to not-after
    pins: dict[str, Pin] = field(default_factory=dict)
    seqs: dict[PeerKey, Known] = field(default_factory=dict)
    cards: dict[str, bytes] = field(default_factory=dict)
    met: dict[PeerKey, bool] = field(default_factory=dict)  # ever confirmed (§8.2)
    directory: dict[PeerKey, tuple[bytes, bytes]] = field(default_factory=dict)  # by (name, hub-ik)
    evidence: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    probes: dict[PeerKey, Probe] = field(default_factory=dict)
    inits: dict[PeerKey, tuple[int, ...]] = field(default_factory=dict)
    sessions: dict[bytes, State] = field(default_factory=dict)
    friends: dict[PeerKey, bool] = field(default_factory=dict)  # no strangers any more
    ids: dict[tuple[PeerKey, bytes], IdRow] = field(default_factory=dict)
    floors: dict[PeerKey, int] = field(default_factory=dict)  # ("", b"") is that of strangers
    due: dict[PeerKey, tuple[Status, ...]] = field(default_factory=dict)
    queue: dict[int, Queued] = field(default_factory=dict)
    outbox: dict[tuple[PeerKey, bytes], Sent] = field(default_factory=dict)
    flights: dict[PeerKey, Flight] = field(default_factory=dict)
    inbox: dict[int, Entry] = field(default_factory=dict)

    def copy(self) -> Store:
        return Store(**{f.name: dict(getattr(self, f.name)) for f in fields(self)})

    def digest(self) -> bytes:
        return H(repr(self).encode())

    @property
    def self(self) -> Self:
        return self.me[""]

    def change(self, **values: object) -> None:
        """Changes the row `self`."""
        self.me[""] = replace(self.me[""], **values)  # type: ignore[arg-type]

    def count(self) -> int:
        """The next value of the counter behind every order of commits."""
        self.change(counter=self.self.counter + 1)
        return self.self.counter

    def stamp(self, now: int) -> int:
        return max(now, self.self.kept)

    def pinned(self, key: PeerKey) -> Pin | None:
        pin = self.pins.get(key[0])
        return pin if pin is not None and pin.ik == key[1] else None

    def sessions_with(self, key: PeerKey) -> list[State]:
        """In the order of their founding commits."""
        own = [x for x in self.sessions.values() if (x.peer.name, x.peer.ik) == key]
        return sorted(own, key=lambda x: x.founded)
