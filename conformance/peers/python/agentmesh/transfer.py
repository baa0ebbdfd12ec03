"""§12.3 and §12.4, export and import of an identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from . import encoding as enc
from . import identity as idn
from .encoding import C
from .errors import MeshError
from .identity import Identity
from .suite import Draws, aead_open, aead_seal, check_ed25519, hkdf, label

MAX_STATE = 16_777_216


@dataclass(frozen=True)
class PeerState:
    name: str
    ik: bytes
    trust: int
    suite: int
    seq: int


@dataclass(frozen=True)
class IdentityState:
    identity: Identity
    seq: int
    hub_ik: bytes | None
    peers: tuple[PeerState, ...]


def passphrase_key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode("utf-8"), salt=salt, n=2**17, r=8, p=1, maxmem=2**28, dklen=32
    )


def _state_keys(k: bytes, kdf: int, salt: bytes, guard: bytes) -> tuple[bytes, bytes, bytes]:
    okm = hkdf(guard, k, C([label("state")]), 44)
    return okm[:32], okm[32:], C([label("state"), kdf, salt, guard])


def export_state(
    state: IdentityState, draws: Draws, key: bytes | None = None, passphrase: str | None = None
) -> bytes:
    if key is not None:
        kdf, salt, k = 0, b"", key
    else:
        if not passphrase:
            raise ValueError("a passphrase has at least one character")
        kdf, salt = 1, draws.draw("salt", 16)
        k = passphrase_key(passphrase, salt)
    guard = draws.draw("export-guard", 16)
    i = state.identity
    peers = [
        [p.name, p.ik, p.trust, p.suite, p.seq]
        for p in sorted(state.peers, key=lambda p: p.name.encode())
    ]
    plain = C([label("state"), i.name, i.ik_secret, i.dk_secret, state.seq, state.hub_ik, peers])
    aes, nonce, aad = _state_keys(k, kdf, salt, guard)
    return C([label("state"), kdf, salt, guard, aead_seal(aes, nonce, plain, aad)])


def import_state(
    raw: bytes, key: bytes | None = None, passphrase: str | None = None
) -> IdentityState:
    """AGENT-63: one code for every fault."""
    try:
        f = enc.array(enc.decode(raw, limit=MAX_STATE), 5)
        enc.label_is(f[0], "state")
        kdf = enc.uint(f[1], 0, 1)
        salt = enc.bstr(f[2], 0 if kdf == 0 else 16)
        guard, ct = enc.bstr(f[3], 16), enc.bstr(f[4])
        if kdf == 0:
            if key is None or len(key) != 32:
                raise MeshError("agent/store-corrupt", "a key is needed")
            k = key
        else:
            if not passphrase:
                raise MeshError("agent/store-corrupt", "a passphrase is needed")
            k = passphrase_key(passphrase, salt)
        aes, nonce, aad = _state_keys(k, kdf, salt, guard)
        s = enc.array(enc.decode(aead_open(aes, nonce, ct, aad), limit=MAX_STATE), 7)
        enc.label_is(s[0], "state")
        name = idn.check_name(enc.tstr(s[1]))
        ik_secret, dk_secret = enc.bstr(s[2], 32), enc.bstr(s[3], 32)
        seq = enc.uint(s[4])
        hub_ik = enc.bstr_or_null(s[5], 32)
        if hub_ik is not None:
            check_ed25519(hub_ik)
        peers: list[PeerState] = []
        for v in enc.array(s[6]):
            p = enc.array(v, 5)
            peer = PeerState(
                idn.check_name(enc.tstr(p[0])),
                enc.bstr(p[1], 32),
                enc.uint(p[2], 1, 2),
                enc.uint(p[3], 0, 2),
                enc.uint(p[4]),
            )
            check_ed25519(peer.ik)
            if peers and peer.name.encode() <= peers[-1].name.encode():
                raise MeshError("agent/store-corrupt", "order of peers")
            peers.append(peer)
        return IdentityState(Identity(name, ik_secret, dk_secret), seq, hub_ik, tuple(peers))
    except MeshError as e:
        raise MeshError("agent/store-corrupt", str(e)) from e
