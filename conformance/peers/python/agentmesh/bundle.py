"""§6 bundle: bundles, one-time keys, contact cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import encoding as enc
from .encoding import MAX_BUNDLE, C
from .errors import MeshError
from .identity import Identity, check_name, fingerprint
from .suite import (
    Draws,
    H,
    check_ed25519,
    check_kem,
    check_x25519,
    kem_public,
    label,
    sign,
    verify,
    x25519_public,
)

MAX_BUNDLE_LIFETIME = 2_592_000
MAX_PREKEYS = 4
NOT_BEFORE_MARGIN = 3_600
CLOCK_SKEW = 300
PREKEY_GRACE = 691_200
ONE_TIME_REQUIRED = 1


@dataclass(frozen=True)
class Prekey:
    suite: int
    x: bytes
    ek: bytes | None


@dataclass(frozen=True)
class SecretKey:
    """The private half of a prekey or one-time key."""

    suite: int
    x_secret: bytes
    kd: bytes | None


@dataclass(frozen=True)
class Bundle:
    raw: bytes
    body: bytes
    sig: bytes
    name: str
    ik: bytes
    dk: bytes
    seq: int
    not_before: int
    not_after: int
    flags: int
    prekeys: tuple[Prekey, ...]  # suites 1 and 2
    suites: tuple[int, ...]  # all listed suites, unknown ones included

    @property
    def ref(self) -> bytes:
        return H(self.body)

    def prekey(self, suite: int) -> Prekey | None:
        return next((p for p in self.prekeys if p.suite == suite), None)


def read_signed(raw: bytes) -> tuple[bytes, bytes]:
    items = enc.array(enc.decode(raw, limit=MAX_BUNDLE), 2)
    return enc.bstr(items[0]), enc.bstr(items[1], 64)


# --- create ------------------------------------------------------------------------------------


def next_seq(last: int, now: int) -> int:
    return max(last + 1, now)


def create(
    identity: Identity,
    draws: Draws,
    seq: int,
    now: int,
    suites: list[int],
    flags: int = 0,
    lifetime: int = MAX_BUNDLE_LIFETIME,
) -> tuple[bytes, list[SecretKey]]:
    not_before = max(0, now - NOT_BEFORE_MARGIN)
    not_after = min(now + lifetime, not_before + MAX_BUNDLE_LIFETIME)
    public: list[Any] = []
    secret: list[SecretKey] = []
    for suite in sorted(suites):
        x_secret = draws.draw("prekey", 32)
        kd = draws.draw("prekey-kem", 64) if suite == 2 else None
        public.append([suite, x25519_public(x_secret), kem_public(kd) if kd else None])
        secret.append(SecretKey(suite, x_secret, kd))
    body = C(
        [
            label("bundle"),
            identity.name,
            identity.ik,
            identity.dk,
            seq,
            not_before,
            not_after,
            flags,
            public,
        ]
    )
    return C([body, sign(identity.ik_secret, body)]), secret


# --- accept a bundle (6.4) ---------------------------------------------------------------------


def _read_prekey(v: Any) -> tuple[int, Prekey | None]:
    items = enc.array(v, least=1)
    suite = enc.uint(items[0])
    if suite not in (1, 2):
        return suite, None
    enc.array(items, 3)
    x = enc.bstr(items[1], 32)
    ek = enc.bstr_or_null(items[2], 1184)
    if (ek is None) != (suite == 1):
        enc.fail("shape", "ek")
    return suite, Prekey(suite, x, ek)


def read_bundle(raw: bytes) -> Bundle:
    """Check 1: the encoding and shape, no more."""
    body, sig = read_signed(raw)
    items = enc.array(enc.decode(body), 9)
    enc.label_is(items[0], "bundle")
    name = enc.tstr(items[1])
    ik, dk = enc.bstr(items[2], 32), enc.bstr(items[3], 32)
    seq, not_before, not_after, flags = (enc.uint(v) for v in items[4:8])
    prekeys = [_read_prekey(v) for v in enc.array(items[8])]
    return Bundle(
        raw,
        body,
        sig,
        name,
        ik,
        dk,
        seq,
        not_before,
        not_after,
        flags,
        tuple(p for _, p in prekeys if p is not None),
        tuple(s for s, _ in prekeys),
    )


@dataclass(frozen=True)
class Known:
    """The highest seq known for (name, ik); ref is None if only the seq is known."""

    seq: int
    ref: bytes | None


def accept_pure(raw: bytes, now: int) -> Bundle:
    """Checks 1 to 9, which need nothing but the bytes and a clock."""
    b = read_bundle(raw)
    check_name(b.name)  # 2
    check_ed25519(b.ik)  # 3
    check_x25519(b.dk)
    for p in b.prekeys:
        check_x25519(p.x)
        if p.ek is not None:
            check_kem(p.ek)
    if b.flags & ~1:  # 4
        raise MeshError("bundle/flags")
    if not 1 <= len(b.suites) <= MAX_PREKEYS:  # 5
        raise MeshError("bundle/prekeys", "count")
    if any(s == 0 or s >= 0xFF00 for s in b.suites):
        raise MeshError("bundle/prekeys", "reserved suite")
    if any(s >= t for s, t in zip(b.suites, b.suites[1:])):
        raise MeshError("bundle/prekeys", "order")
    xs = [p.x for p in b.prekeys]
    if b.dk in xs or len(set(xs)) != len(xs):
        raise MeshError("bundle/prekeys", "equal keys")
    if not verify(b.ik, b.body, b.sig):  # 6
        raise MeshError("bundle/signature")
    if not 0 < b.not_after - b.not_before <= MAX_BUNDLE_LIFETIME:  # 7
        raise MeshError("bundle/lifetime")
    if now < b.not_before - CLOCK_SKEW:  # 8
        raise MeshError("bundle/not-yet-valid")
    if now > b.not_after + CLOCK_SKEW:  # 9
        raise MeshError("bundle/expired")
    return b


def signed_well(b: Bundle) -> bool:
    """Whether the signature is that of its own, good ik."""
    try:
        check_ed25519(b.ik)
    except MeshError:
        return False
    return verify(b.ik, b.body, b.sig)


def accept(
    raw: bytes,
    now: int,
    name: str | None = None,
    expected_fingerprint: str | None = None,
    pinned: bytes | None = None,
    known: Known | None = None,
) -> Bundle:
    b = accept_pure(raw, now)
    if name is not None and name != b.name:  # 10
        raise MeshError("bundle/name-mismatch")
    if expected_fingerprint is not None and expected_fingerprint != fingerprint(b.ik):  # 11
        raise MeshError("identity/fingerprint")
    if pinned is not None and pinned != b.ik:  # 12
        raise MeshError("identity/changed")
    if known is not None:
        if b.seq < known.seq:  # 13
            raise MeshError("bundle/rollback")
        if b.seq == known.seq and known.ref is not None and known.ref != b.ref:  # 14
            raise MeshError("bundle/equivocation")
    return b
