"""§7 keyschedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .bundle import SecretKey
from .encoding import C
from .suite import (
    Draws,
    H,
    check_kem,
    check_x25519,
    decaps,
    encaps,
    hkdf,
    hkdf_expand,
    hkdf_extract,
    kem_public,
    label,
    x25519,
    x25519_public,
)

Trace = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Block:
    x: bytes
    ek: bytes | None
    kem_ct: bytes | None

    def item(self) -> list[Any]:
        return [self.x, self.ek, self.kem_ct]


@dataclass(frozen=True)
class PublicKeys:
    """Y: what a block answers."""

    x: bytes
    ek: bytes | None


def note(trace: Trace | None, name: str, value: bytes) -> None:
    if trace is not None:
        trace.append((name, value))


def ex_info(suite: int, purpose: str, *context: Any) -> bytes:
    return C([label(purpose), suite, *context])


def Ex(secret: bytes, suite: int, purpose: str, *context: Any, length: int = 32) -> bytes:
    return hkdf_expand(secret, ex_info(suite, purpose, *context), length)


def transcript_hash(init: list[Any], name_b: str, ik_b: bytes) -> bytes:
    """init: the eight fields of §8.2."""
    suite, bundle_ref, otk_ref, name_a, ik_a, dk_a, e, kem_ct = init
    return H(
        C(
            [
                label("handshake"),
                suite,
                name_b,
                ik_b,
                bundle_ref,
                otk_ref,
                name_a,
                ik_a,
                dk_a,
                e,
                kem_ct,
            ]
        )
    )


def root(
    th: bytes, suite: int, dh: list[bytes], ss: bytes | None, trace: Trace | None = None
) -> bytes:
    """rk0"""
    for i, value in enumerate(dh):
        note(trace, f"dh{i + 1}", value)
    if ss is not None:
        note(trace, "ss", ss)
    note(trace, "th", th)
    prk = hkdf_extract(th, b"".join(dh) + (ss or b""))
    note(trace, "prk", prk)
    rk0 = Ex(prk, suite, "root")
    note(trace, "rk0", rk0)
    note(trace, "sid", th[:16])
    return rk0


def block_hash(block: Block) -> bytes:
    return H(C([label("block"), block.x, block.ek, block.kem_ct]))


def peer_key_hash(y: PublicKeys) -> bytes:
    return H(C([label("peer-key"), y.x, y.ek]))


def send_exchange(suite: int, y: PublicKeys, draws: Draws) -> tuple[SecretKey, Block, bytes]:
    x_secret = draws.draw("ratchet", 32)
    ek = kem_ct = kd = None
    ss = b""
    if suite == 2:
        kd = draws.draw("ratchet-kem", 64)
        ek = kem_public(kd)
        assert y.ek is not None
        kem_ct, ss = encaps(y.ek, draws.draw("ratchet-encaps", 32))
    block = Block(x25519_public(x_secret), ek, kem_ct)
    return SecretKey(suite, x_secret, kd), block, x25519(x_secret, y.x) + ss


def recv_exchange(own: SecretKey, block: Block, trace: Trace | None = None) -> bytes:
    """KEYSCHEDULE-7 and 8 included."""
    check_x25519(block.x)
    if own.kd is not None:
        assert block.ek is not None and block.kem_ct is not None
        check_kem(block.ek)
    secret = x25519(own.x_secret, block.x)
    if own.kd is not None:
        assert block.kem_ct is not None
        ss = decaps(own.kd, block.kem_ct)
        note(trace, "ss", ss)
        secret += ss
    return secret


def step(
    suite: int, th: bytes, rk: bytes, secret: bytes, block: Block, y: PublicKeys
) -> tuple[bytes, bytes]:
    """(rk', ck_0)"""
    info = C([label("ratchet"), suite, th, block_hash(block), peer_key_hash(y)])
    okm = hkdf(rk, secret, info, 64)
    return okm[:32], okm[32:]


def message_key(suite: int, ck: bytes) -> bytes:
    return Ex(ck, suite, "message-key")


def next_chain_key(suite: int, ck: bytes) -> bytes:
    return Ex(ck, suite, "chain-key")


def seal_key(suite: int, th: bytes, mk: bytes, guard: bytes) -> tuple[bytes, bytes]:
    """(key, nonce)"""
    okm = hkdf(guard, mk, C([label("seal"), suite, th]), 44)
    return okm[:32], okm[32:]
