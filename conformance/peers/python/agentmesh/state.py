"""§10.2, the state of a session. A state is replaced and never changed in place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .bundle import SecretKey
from .identity import Peer
from .keyschedule import Block, PublicKeys

MAX_CHAIN = 1_000
MAX_SKIPPED = 2_000
MAX_RETIRED = 4
SKIPPED_LIFETIME = 604_800
SESSION_LIFETIME = 2_592_000
SENDING_LIFETIME = 1_814_400
GLARE_WINDOW = 60

INITIATOR, RESPONDER = 0, 1


@dataclass(frozen=True)
class Own:
    """Own secret with the public keys that the peer's next block answers."""

    secret: SecretKey
    block: Block

    @property
    def public(self) -> PublicKeys:
        return PublicKeys(self.block.x, self.block.ek)


@dataclass(frozen=True)
class SkippedKey:
    block_hash: bytes
    n: int
    mk: bytes
    time: int


@dataclass
class State:
    th: bytes
    suite: int
    role: int
    peer: Peer
    init: tuple[Any, ...] | None
    rk: bytes
    own: Own | None
    peer_block: PublicKeys | None
    created: int
    cks: bytes | None = None
    ns: int = 0
    pn: int = 0
    ckr: bytes | None = None
    nr: int = 0
    current: bytes | None = None
    retired: list[bytes] = field(default_factory=list)
    skipped: list[SkippedKey] = field(default_factory=list)
    verified: int | None = None
    order: int | None = None
    heal_only: bool = False
    answer_due: bool = False
    carried_application: bool = False
    until: int | None = None  # not-after of the founding bundle, while unconfirmed
    founded: int = 0  # the counter of founding commits (SESSION-6)

    def copy(self) -> State:
        """A state is replaced and never changed in place; this is what a change begins with."""
        return replace(self, retired=list(self.retired), skipped=list(self.skipped))

    @property
    def last_use(self) -> int:
        """Last verified receive, or creation (SESSION-22, HANDSHAKE-39)."""
        return self.created if self.verified is None else self.verified

    def expired(self, kept: int) -> bool:
        return kept - self.last_use >= SESSION_LIFETIME
