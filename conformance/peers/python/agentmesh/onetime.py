"""§6: one-time keys, and bundles as contact cards."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from . import encoding as enc
from .bundle import CLOCK_SKEW, Bundle, SecretKey, read_signed
from .encoding import C
from .errors import MeshError
from .identity import Identity
from .suite import Draws, H, check_kem, check_x25519, kem_public, label, sign, verify, x25519_public

ONE_TIME_LIFETIME = 5_097_600
MAX_ONE_TIME_LIFETIME = 5_184_000


@dataclass(frozen=True)
class OneTime:
    raw: bytes
    body: bytes
    sig: bytes
    name: str
    ik: bytes
    suite: int
    x: bytes
    ek: bytes | None
    not_after: int

    @property
    def ref(self) -> bytes:
        return H(self.body)


def create(identity: Identity, draws: Draws, suite: int, now: int) -> tuple[bytes, SecretKey]:
    x_secret = draws.draw("one-time", 32)
    kd = draws.draw("one-time-kem", 64) if suite == 2 else None
    body = C(
        [
            label("one-time"),
            identity.name,
            identity.ik,
            suite,
            x25519_public(x_secret),
            kem_public(kd) if kd else None,
            now + ONE_TIME_LIFETIME,
        ]
    )
    return C([body, sign(identity.ik_secret, body)]), SecretKey(suite, x_secret, kd)


def read(raw: bytes) -> OneTime:
    body, sig = read_signed(raw)
    items = enc.array(enc.decode(body), 7)
    enc.label_is(items[0], "one-time")
    name = enc.tstr(items[1])
    ik = enc.bstr(items[2], 32)
    suite = enc.uint(items[3])
    x = enc.bstr(items[4], 32)
    ek = enc.bstr_or_null(items[5], 1184)
    return OneTime(raw, body, sig, name, ik, suite, x, ek, enc.uint(items[6]))


def accept(raw: bytes, b: Bundle, suite: int, now: int) -> OneTime:
    """BUNDLE-28: every fault is bundle/one-time."""
    try:
        k = read(raw)
        if k.name != b.name or k.ik != b.ik or k.suite != suite:
            raise MeshError("bundle/one-time", "another owner or suite")
        if (k.ek is None) != (suite == 1):
            raise MeshError("bundle/one-time", "ek")
        check_x25519(k.x)
        if k.ek is not None:
            check_kem(k.ek)
        if k.x == b.dk or any(k.x == p.x for p in b.prekeys):
            raise MeshError("bundle/one-time", "equal keys")
        if not verify(b.ik, k.body, k.sig):
            raise MeshError("bundle/one-time", "signature")
        if now > k.not_after + CLOCK_SKEW or k.not_after > now + MAX_ONE_TIME_LIFETIME + CLOCK_SKEW:
            raise MeshError("bundle/one-time", "lifetime")
        return k
    except MeshError as e:
        raise MeshError("bundle/one-time", str(e)) from e


# --- contact cards -----------------------------------------------------------------------------

CARD = "agentmesh1:"


def write_card(raw: bytes) -> str:
    return CARD + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read_card(text: str) -> bytes:
    """BUNDLE-30: exactly the text that the bytes are written as."""
    try:
        rest = text.removeprefix(CARD)
        raw = base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
        if write_card(raw) != text:
            raise ValueError("another form")
        return raw
    except ValueError as e:
        raise MeshError("encoding/malformed", "card") from e
