"""ML-KEM-768 of FIPS 203, for suite 2 (§4). Plain and slow; not constant-time."""

from __future__ import annotations

import functools
import hashlib
import hmac

Q = 3329
N = 256
K = 3
DU, DV = 10, 4
ETA = 2

Poly = list[int]


def _bitrev7(i: int) -> int:
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, _bitrev7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _bitrev7(i) + 1, Q) for i in range(128)]


def _ntt(f: Poly) -> Poly:
    f = list(f)
    i, length = 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            z = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = z * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _intt(f: Poly) -> Poly:
    f = list(f)
    i, length = 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            z = ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = z * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def _mul(f: Poly, g: Poly) -> Poly:
    h = [0] * N
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h[2 * i] = (a0 * b0 + a1 * b1 * GAMMAS[i]) % Q
        h[2 * i + 1] = (a0 * b1 + a1 * b0) % Q
    return h


def _add(f: Poly, g: Poly) -> Poly:
    return [(a + b) % Q for a, b in zip(f, g)]


def _sub(f: Poly, g: Poly) -> Poly:
    return [(a - b) % Q for a, b in zip(f, g)]


def _encode(f: Poly, d: int) -> bytes:
    n = 0
    for i, c in enumerate(f):
        n |= c << (d * i)
    return n.to_bytes(32 * d, "little")


def _decode(b: bytes, d: int) -> Poly:
    n = int.from_bytes(b, "little")
    mask = (1 << d) - 1
    return [n >> (d * i) & mask for i in range(N)]


def _compress(f: Poly, d: int) -> Poly:
    return [((x << d) + Q // 2) // Q % (1 << d) for x in f]


def _decompress(f: Poly, d: int) -> Poly:
    return [(x * Q + (1 << (d - 1))) >> d for x in f]


def _sample_ntt(seed: bytes) -> Poly:
    out: Poly = []
    size = 168 * 5
    while True:
        stream = hashlib.shake_128(seed).digest(size)
        out = []
        for i in range(0, size - 2, 3):
            d1 = stream[i] + 256 * (stream[i + 1] % 16)
            d2 = stream[i + 1] // 16 + 16 * stream[i + 2]
            if d1 < Q:
                out.append(d1)
            if d2 < Q and len(out) < N:
                out.append(d2)
            if len(out) == N:
                return out
        size *= 2


def _cbd(seed: bytes, n: int) -> Poly:
    b = int.from_bytes(hashlib.shake_256(seed + bytes([n])).digest(64 * ETA), "little")
    f = []
    for i in range(N):
        bits = b >> (4 * i) & 15
        f.append(((bits & 1) + (bits >> 1 & 1) - (bits >> 2 & 1) - (bits >> 3 & 1)) % Q)
    return f


@functools.lru_cache(maxsize=32)
def _matrix(rho: bytes) -> list[list[Poly]]:
    return [[_sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def _G(data: bytes) -> tuple[bytes, bytes]:
    g = hashlib.sha3_512(data).digest()
    return g[:32], g[32:]


def _dot(row: list[Poly], v: list[Poly]) -> Poly:
    total = [0] * N
    for a, b in zip(row, v):
        total = _add(total, _mul(a, b))
    return total


@functools.lru_cache(maxsize=32)
def keygen(d: bytes, z: bytes) -> tuple[bytes, bytes]:
    """ML-KEM.KeyGen_internal: (ek, dk)."""
    rho, sigma = _G(d + bytes([K]))
    a = _matrix(rho)
    s = [_ntt(_cbd(sigma, n)) for n in range(K)]
    e = [_ntt(_cbd(sigma, K + n)) for n in range(K)]
    t = [_add(_dot(a[i], s), e[i]) for i in range(K)]
    ek = b"".join(_encode(p, 12) for p in t) + rho
    dk = b"".join(_encode(p, 12) for p in s)
    return ek, dk + ek + hashlib.sha3_256(ek).digest() + z


def check_ek(ek: bytes) -> bool:
    """The type and modulus checks of section 7.2."""
    if len(ek) != 384 * K + 32:
        return False
    return all(c < Q for i in range(K) for c in _decode(ek[384 * i : 384 * (i + 1)], 12))


def _encrypt(ek: bytes, m: bytes, r: bytes) -> bytes:
    t = [_decode(ek[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    a = _matrix(ek[384 * K :])
    y = [_ntt(_cbd(r, n)) for n in range(K)]
    e1 = [_cbd(r, K + n) for n in range(K)]
    e2 = _cbd(r, 2 * K)
    u = [_add(_intt(_dot([a[j][i] for j in range(K)], y)), e1[i]) for i in range(K)]
    mu = _decompress(_decode(m, 1), 1)
    v = _add(_add(_intt(_dot(t, y)), e2), mu)
    return b"".join(_encode(_compress(p, DU), DU) for p in u) + _encode(_compress(v, DV), DV)


def _decrypt(dk: bytes, ct: bytes) -> bytes:
    u = [_decompress(_decode(ct[32 * DU * i : 32 * DU * (i + 1)], DU), DU) for i in range(K)]
    v = _decompress(_decode(ct[32 * DU * K :], DV), DV)
    s = [_decode(dk[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    w = _sub(v, _intt(_dot(s, [_ntt(p) for p in u])))
    return _encode(_compress(w, 1), 1)


def encaps(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """ML-KEM.Encaps_internal: (ciphertext, shared secret)."""
    ss, r = _G(m + hashlib.sha3_256(ek).digest())
    return _encrypt(ek, m, r), ss


def decaps(dk: bytes, ct: bytes) -> bytes:
    pke, ek = dk[: 384 * K], dk[384 * K : 768 * K + 32]
    h, z = dk[768 * K + 32 : 768 * K + 64], dk[768 * K + 64 :]
    m = _decrypt(pke, ct)
    ss, r = _G(m + h)
    rejected = hashlib.shake_256(z + ct).digest(32)
    return ss if hmac.compare_digest(_encrypt(ek, m, r), ct) else rejected
