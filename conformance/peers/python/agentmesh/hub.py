"""§11 hub: frames, the opening of a link. The agent's side is link.py, the hub's is hubcore.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import encoding as enc
from .encoding import C
from .errors import MeshError
from .identity import Identity
from .identity import fingerprint as fingerprint_of
from .suite import Draws, H, check_ed25519, label, sign, verify

MAX_FRAME = 1_179_648
MAX_RID = 4_294_967_295
VERSIONS = (1,)

HELLO, WELCOME, AUTH, READY = 1, 2, 3, 4
PUT_BUNDLE, PUT_ONE_TIME, GET_BUNDLE, SEND, ACK, LIST, PING, COUNTS = range(10, 18)
OK, ERR, DELIVER, LOW_ONE_TIME = 20, 21, 30, 31
REQUESTS = range(10, 18)

ERRORS = {
    1: "hub/malformed",
    2: "hub/version",
    3: "hub/auth-required",
    4: "hub/auth-failed",
    5: "hub/name-taken",
    6: "hub/no-such-agent",
    7: "hub/bad-bundle",
    8: "hub/bundle-stale",
    9: "hub/mailbox-full",
    10: "hub/too-large",
    11: "hub/rate-limited",
    12: "hub/replaced",
    13: "hub/unknown-request",
    14: "hub/internal",
}


def error_code(number: int) -> str:
    return ERRORS.get(number, "hub/internal")


@dataclass(frozen=True)
class Limits:
    mailbox_messages: int = 1_000
    mailbox_bytes: int = 67_108_864
    per_sender: int = 200
    per_sender_bytes: int = 8_388_608
    ttl_s: int = 604_800
    envelope: int = 1_114_112
    requests_per_s: int = 1_000
    unacked: int = 64

    def item(self) -> list[int]:
        return [
            self.mailbox_messages,
            self.mailbox_bytes,
            self.per_sender,
            self.per_sender_bytes,
            self.ttl_s,
            self.envelope,
            self.requests_per_s,
            self.unacked,
        ]

    def at_most(self, other: Limits) -> Limits:
        """HUB-56: the smaller of both, 0 read as 1."""
        return Limits(*(min(max(a, 1), max(b, 1)) for a, b in zip(self.item(), other.item())))


# --- shapes ------------------------------------------------------------------------------------


def _signed(v: Any) -> bytes:
    """A `signed` inside a frame, as its own encoding."""
    items = enc.array(v, 2)
    return C([enc.bstr(items[0]), enc.bstr(items[1], 64)])


def _counts(v: Any) -> list[Any]:
    items = enc.array(v, 3)
    enc.uint(items[0])
    for pair in enc.array(items[1]):
        enc.array(pair, 2)
        enc.uint(pair[0])
        enc.uint(pair[1])
    if items[2] is not None:
        enc.uint(items[2])
    return items


def _limits(v: Any) -> Limits:
    return Limits(*(enc.uint(x) for x in enc.array(v, 8)))


def _names(v: Any) -> list[str]:
    return [enc.tstr(n) for n in enc.array(v, most=256)]


def _found(v: Any) -> tuple[bytes, bytes | None, bytes]:
    items = enc.array(v, 3)
    return _signed(items[0]), None if items[1] is None else _signed(items[1]), _signed(items[2])


def _null(v: Any) -> None:
    if v is not None:
        enc.fail("shape", "not null")


RESULTS: dict[int, Callable[[Any], Any]] = {
    PUT_BUNDLE: _null,
    PUT_ONE_TIME: enc.uint,
    GET_BUNDLE: _found,
    SEND: _null,
    ACK: _null,
    LIST: _names,
    PING: _null,
    COUNTS: _counts,
}


def _any_result(v: Any) -> None:
    for shape in (_null, enc.uint, _found, _names, _counts):
        try:
            shape(v)
            return
        except MeshError:
            pass
    enc.fail("shape", "result")


def check_shape(frame: list[Any]) -> None:
    """The CDDL of a frame, `encoding/shape` otherwise; the type has been read as a uint."""
    kind = frame[0]
    arity = {
        HELLO: 4,
        WELCOME: 7,
        AUTH: 5,
        READY: 3,
        PUT_BUNDLE: 3,
        PUT_ONE_TIME: 4,
        GET_BUNDLE: 4,
        SEND: 5,
        ACK: 3,
        LIST: 3,
        PING: 2,
        COUNTS: 2,
        OK: 3,
        ERR: 4,
        DELIVER: 5,
        LOW_ONE_TIME: 4,
    }
    if kind not in arity:
        enc.fail("shape", "type")
    enc.array(frame, arity[kind])
    if kind in REQUESTS or kind == OK:
        enc.uint(frame[1], 1, MAX_RID)
    elif kind == ERR:
        enc.uint(frame[1], 0, MAX_RID)
    else:
        enc.uint(frame[1], 0, 0)
    rest = frame[2:]
    if kind == HELLO:
        for v in enc.array(rest[0], least=1, most=8):
            enc.uint(v)
        enc.bstr(rest[1], 32)
    elif kind == WELCOME:
        enc.uint(rest[0])
        enc.bstr(rest[1], 32)
        enc.bstr(rest[2], 32)
        _limits(rest[3])
        enc.bstr(rest[4], 64)
    elif kind == AUTH:
        enc.tstr(rest[0])
        enc.bstr(rest[1], 32)
        enc.bstr(rest[2], 64)
    elif kind == READY:
        _counts(rest[0])
    elif kind == PUT_BUNDLE:
        _signed(rest[0])
    elif kind == PUT_ONE_TIME:
        enc.uint(rest[0], 0, 1)
        for key in enc.array(rest[1], most=100):
            _signed(key)
    elif kind == GET_BUNDLE:
        enc.tstr(rest[0])
        for s in enc.array(rest[1], most=4):
            enc.uint(s)
    elif kind == SEND:
        enc.tstr(rest[0])
        enc.bstr(rest[1], 16)
        enc.bstr(rest[2])
    elif kind == ACK:
        for m in enc.array(rest[0], least=1, most=256):
            enc.uint(m)
    elif kind == LIST:
        enc.tstr(rest[0])
    elif kind == OK:
        _any_result(rest[0])
    elif kind == ERR:
        enc.uint(rest[0])
        enc.uint(rest[1])
    elif kind == DELIVER:
        enc.uint(rest[0])
        enc.tstr(rest[1])
        enc.bstr(rest[2])
    elif kind == LOW_ONE_TIME:
        enc.uint(rest[0])
        enc.uint(rest[1])


def decode_frame(raw: bytes) -> list[Any]:
    """A frame of either side; every fault is hub/malformed (HUB-54)."""
    try:
        frame: list[Any] = enc.decode(raw, limit=MAX_FRAME)
        enc.uint(enc.array(frame, least=1)[0])
        check_shape(frame)
        return frame
    except MeshError as e:
        raise MeshError("hub/malformed", str(e)) from e


def frame_hash(raw: bytes) -> bytes:
    return H(C([label("frame"), raw]))


def with_length(raw: bytes) -> bytes:
    """A frame as it travels over TCP."""
    return len(raw).to_bytes(4, "big") + raw


# --- opening a link ----------------------------------------------------------------------------


def make_hello(draws: Draws, versions: Sequence[int] = VERSIONS) -> bytes:
    return C([HELLO, 0, list(versions), draws.draw("cnonce", 32)])


def welcome_bytes(
    hello: bytes, version: int, hub_ik: bytes, snonce: bytes, limits: Limits
) -> bytes:
    return C([label("hub-welcome"), frame_hash(hello), version, hub_ik, snonce, limits.item()])


def make_welcome(
    hub_secret: bytes, hub_ik: bytes, draws: Draws, hello: bytes, version: int, limits: Limits
) -> bytes:
    snonce = draws.draw("snonce", 32)
    sig = sign(hub_secret, welcome_bytes(hello, version, hub_ik, snonce, limits))
    return C([WELCOME, 0, version, hub_ik, snonce, limits.item(), sig])


@dataclass(frozen=True)
class Welcome:
    raw: bytes
    version: int
    hub_ik: bytes
    limits: Limits


def check_welcome(
    hello: bytes, raw: bytes, pinned: bytes | None, fingerprint: str | None = None
) -> Welcome:
    """HUB-53."""
    frame = decode_frame(raw)
    if frame[0] != WELCOME:
        raise MeshError("hub/malformed", "no welcome")
    _, _, version, hub_ik, snonce, limits, sig = frame
    if version not in enc.decode(hello)[2]:
        raise MeshError("hub/version")
    try:
        check_ed25519(hub_ik)
    except MeshError as e:
        raise MeshError("hub/auth-failed", "key") from e
    if pinned is not None and pinned != hub_ik:
        raise MeshError("hub/auth-failed", "pin")
    if fingerprint is not None and fingerprint != fingerprint_of(hub_ik):
        raise MeshError("hub/auth-failed", "fingerprint")
    if not verify(hub_ik, welcome_bytes(hello, version, hub_ik, snonce, _limits(limits)), sig):
        raise MeshError("hub/auth-failed", "signature")
    return Welcome(raw, version, hub_ik, _limits(limits))


def auth_bytes(hello: bytes, welcome: bytes, hub_ik: bytes, name: str, ik: bytes) -> bytes:
    return C([label("hub-auth"), frame_hash(hello), frame_hash(welcome), hub_ik, name, ik])


def make_auth(identity: Identity, hello: bytes, welcome: Welcome) -> bytes:
    message = auth_bytes(hello, welcome.raw, welcome.hub_ik, identity.name, identity.ik)
    return C([AUTH, 0, identity.name, identity.ik, sign(identity.ik_secret, message)])
