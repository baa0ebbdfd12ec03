"""§12.4: judging a content, ids and the floor behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from . import encoding as enc
from . import envelope as env
from .errors import MeshError
from .store import IdRow, PeerKey, Store

ID_LIFETIME = 1_900_800
MAX_IDS, MAX_STRANGER_IDS = 65_536, 262_144
MAX_AHEAD_MS = 86_400_000
STRANGERS: PeerKey = ("", b"")


# --- ids (AGENT-55 to AGENT-57) ----------------------------------------------------------------


def table_of(s: Store, peer: PeerKey) -> PeerKey:
    """Strangers share one table and one floor."""
    return peer if peer in s.friends else STRANGERS


def floor_of(s: Store, peer: PeerKey) -> int:
    return s.floors.get(table_of(s, peer), 0)


def _drop(s: Store, key: tuple[PeerKey, bytes]) -> None:
    """AGENT-56: the floor rises to the sent-ms of a dropped id."""
    table, row = table_of(s, key[0]), s.ids.pop(key)
    s.floors[table] = max(s.floors.get(table, 0), row.sent_ms)


def add_id(s: Store, peer: PeerKey, content_id: bytes, row: IdRow) -> None:
    s.ids[peer, content_id] = row
    most = MAX_IDS if peer in s.friends else MAX_STRANGER_IDS
    if len(s.ids) > most:
        table = table_of(s, peer)
        own = [k for k in s.ids if table_of(s, k[0]) == table]
        if len(own) > most:
            _drop(s, min(own, key=lambda k: s.ids[k].sent_ms))


def befriend(s: Store, peer: PeerKey) -> None:
    """AGENT-57: a stranger that is sent its first content takes its ids and the floor with it."""
    if peer not in s.friends:
        s.floors[peer] = max(s.floors.get(peer, 0), s.floors.get(STRANGERS, 0))
        s.friends[peer] = True


def clean_ids(s: Store, kept: int, most: int) -> None:
    """Maintenance: AGENT-1, then AGENT-55."""
    for key, row in list(s.ids.items()):
        if row.time > most:
            s.ids[key] = replace(row, time=most)
        if kept - s.ids[key].time >= ID_LIFETIME:
            _drop(s, key)


# --- judging -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    code: str | None  # a refusal, or None
    content: env.Content | None  # set if it is dispatched, or a heal or receipt
    dispatch: bool = False
    receipt: tuple[bytes, int] | None = None


def judge(
    s: Store,
    peer: PeerKey,
    raw: bytes,
    now_ms: int,
    accepts: Callable[[int], bool],
    has_room: Callable[[int], bool],
) -> Judged:
    """Checks 1 to 7; `accepts` is the accept policy with maxAge, `has_room` AGENT-45."""
    try:
        c = env.read_content(raw)  # 1
    except MeshError as e:
        content_id = env.readable_id(raw)
        if content_id is None:
            return Judged(e.code, None)
        known = s.ids.get((peer, content_id))  # a known id keeps its status
        return Judged(e.code, None, receipt=(content_id, known.status if known is not None else 3))
    if c.kind != env.APPLICATION:  # 2
        return Judged(None, c)
    row = s.ids.get((peer, c.id))
    if row is not None:  # 3
        return Judged(None, None, receipt=(c.id, row.status))
    refused = (c.id, 3)
    if c.sent_ms > now_ms + MAX_AHEAD_MS or c.sent_ms <= floor_of(s, peer):  # 4
        return Judged("envelope/content", None, receipt=refused)
    if not accepts(c.sent_ms):  # 5
        return Judged("identity/untrusted", None, receipt=refused)
    try:
        enc.decode_payload(c.body)  # 6
    except MeshError:
        return Judged("agent/payload", None, receipt=refused)
    if not has_room(len(raw)):  # 7
        return Judged("envelope/content", None, receipt=refused)
    return Judged(None, c, True, (c.id, 1))
