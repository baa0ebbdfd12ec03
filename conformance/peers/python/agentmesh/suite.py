"""§4 suite: primitives, key checks, cofactorless Ed25519, named draws."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import mlkem
from .errors import MeshError

SUITES = (1, 2)


def label(purpose: str) -> str:
    return "AgentMesh/1 " + purpose


def H(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def HMAC(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    return HMAC(salt, ikm)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    if length > 255 * 32:
        raise ValueError("HKDF length")
    out, block, i = b"", b"", 1
    while len(out) < length:
        block = HMAC(prk, block + info + bytes([i]))
        out += block
        i += 1
    return out[:length]


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(hkdf_extract(salt, ikm), info, length)


# --- AEAD --------------------------------------------------------------------------------------


def aead_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plaintext, aad)


def aead_open(key: bytes, nonce: bytes, ct: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, ct, aad)
    except (InvalidTag, ValueError) as e:  # ValueError: shorter than a tag
        raise MeshError("envelope/open", "tag") from e


# --- X25519 ------------------------------------------------------------------------------------

P = 2**255 - 19


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def x25519_public(secret: bytes) -> bytes:
    return _raw(X25519PrivateKey.from_private_bytes(secret).public_key())


def check_x25519(key: bytes) -> None:
    """SUITE-8: bit 255 clear and u < p; both follow from the integer being below p."""
    if len(key) != 32 or int.from_bytes(key, "little") >= P:
        raise MeshError("suite/bad-key", "X25519 key")


def x25519(secret: bytes, public: bytes) -> bytes:
    """SUITE-12: an all-zero result is suite/bad-key."""
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(
            X25519PublicKey.from_public_bytes(public)
        )
    except ValueError as e:  # OpenSSL refuses an all-zero result itself
        raise MeshError("suite/bad-key", "X25519 exchange") from e
    if shared == bytes(32):
        raise MeshError("suite/bad-key", "X25519 exchange")
    return shared


# --- Ed25519 -----------------------------------------------------------------------------------

L = 2**252 + 27742317777372353535851937790883648493
D = (-121665 * pow(121666, P - 2, P)) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T; x = X/Z, y = Y/Z, xy = T/Z
IDENTITY: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    A = (y1 - x1) * (y2 - x2) % P
    B = (y1 + x1) * (y2 + x2) % P
    Cc = 2 * t1 * t2 * D % P
    Dd = 2 * z1 * z2 % P
    E, F, G, Hh = B - A, Dd - Cc, Dd + Cc, B + A
    return E * F % P, G * Hh % P, F * G % P, E * Hh % P


def _double(a: Point) -> Point:
    x, y, z, _ = a
    A = x * x % P
    B = y * y % P
    Cc = 2 * z * z % P
    Hh = A + B
    E = Hh - (x + y) * (x + y) % P
    G = A - B
    F = Cc + G
    return E * F % P, G * Hh % P, F * G % P, E * Hh % P


def _negate(a: Point) -> Point:
    return (-a[0] % P, a[1], a[2], -a[3] % P)


def _recover_x(y: int, sign: int) -> int | None:
    u = (y * y - 1) % P
    v = (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P != 0:
        x = x * SQRT_M1 % P
        if (v * x * x - u) % P != 0:
            return None
    if x == 0 and sign == 1:
        return None
    if x & 1 != sign:
        x = P - x
    return x


def decode_point(key: bytes) -> Point | None:
    """A canonical encoding of a point of the curve, or None."""
    if len(key) != 32:
        return None
    n = int.from_bytes(key, "little")
    y, sign = n & (2**255 - 1), n >> 255
    if y >= P:
        return None
    x = _recover_x(y, sign)
    if x is None:
        return None
    return x, y, 1, x * y % P


def encode_point(a: Point) -> bytes:
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _is_identity(a: Point) -> bool:
    return a[0] % P == 0 and (a[1] - a[2]) % P == 0


_BY = 4 * pow(5, P - 2, P) % P
_bx = _recover_x(_BY, 0)
assert _bx is not None
BASE: Point = (_bx, _BY, 1, _bx * _BY % P)


def _double_scalar(s: int, a: Point, k: int, b: Point) -> Point:
    """[s]a + [k]b, Shamir's trick; verification handles public values only."""
    both = _add(a, b)
    r = IDENTITY
    for i in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        r = _double(r)
        bits = (s >> i & 1) << 1 | (k >> i & 1)
        if bits == 3:
            r = _add(r, both)
        elif bits == 2:
            r = _add(r, a)
        elif bits == 1:
            r = _add(r, b)
    return r


_checked: dict[bytes, bool] = {}  # a cache of public facts, bounded below


def check_ed25519(key: bytes) -> None:
    """SUITE-9: canonical, on the curve, and not of small order."""
    good = _checked.get(key)
    if good is None:
        point = decode_point(key)
        good = point is not None and not _is_identity(_double(_double(_double(point))))
        if len(_checked) > 10_000:
            _checked.clear()
        _checked[key] = good
    if not good:
        raise MeshError("suite/bad-key", "Ed25519 key")


def ed25519_public(seed: bytes) -> bytes:
    return (
        Ed25519PrivateKey.from_private_bytes(seed)
        .public_key()
        .public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    )


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """SUITE-13: cofactorless; the key has passed check_ed25519 where it came in. The library
    computes what `verify_slowly` writes out; the operation suite.verify compares both."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def verify_slowly(key: bytes, message: bytes, signature: bytes) -> bool:
    """`Verify` of §4.3, equation by equation."""
    if len(signature) != 64:
        return False
    a = decode_point(key)
    if a is None:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L
    return encode_point(_double_scalar(s, BASE, k, _negate(a))) == r


# --- ML-KEM-768 --------------------------------------------------------------------------------


def check_kem(ek: bytes) -> None:
    if not mlkem.check_ek(ek):
        raise MeshError("suite/bad-key", "ML-KEM key")


def kem_public(kd: bytes) -> bytes:
    return mlkem.keygen(kd[:32], kd[32:])[0]


def encaps(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """(kem-ct, ss)"""
    return mlkem.encaps(ek, m)


def decaps(kd: bytes, ct: bytes) -> bytes:
    return mlkem.decaps(mlkem.keygen(kd[:32], kd[32:])[1], ct)


# --- draws -------------------------------------------------------------------------------------


class Draws(Protocol):
    def draw(self, name: str, length: int) -> bytes: ...


class SystemDraws:
    """Production: the random source of the operating system."""

    def draw(self, name: str, length: int) -> bytes:
        return os.urandom(length)
