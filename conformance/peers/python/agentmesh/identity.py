"""§5 identity: names, fingerprints, addresses, safety numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import MeshError
from .suite import Draws, H, ed25519_public, x25519_public

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FINGERPRINT = re.compile(r"[0-9a-f]{4}(:[0-9a-f]{4}){7}")


@dataclass(frozen=True)
class Identity:
    name: str
    ik_secret: bytes
    dk_secret: bytes

    @property
    def ik(self) -> bytes:
        return ed25519_public(self.ik_secret)

    @property
    def dk(self) -> bytes:
        return x25519_public(self.dk_secret)


@dataclass(frozen=True)
class Peer:
    name: str
    ik: bytes


def check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise MeshError("identity/name", repr(name))
    return name


def create(name: str, draws: Draws) -> Identity:
    check_name(name)
    ik_secret = draws.draw("identity", 32)
    dk_secret = draws.draw("dh", 32)
    return Identity(name, ik_secret, dk_secret)


def fingerprint(ik: bytes) -> str:
    h = H(ik)[:16].hex()
    return ":".join(h[i : i + 4] for i in range(0, 32, 4))


def address(name: str, ik: bytes) -> str:
    return name + "#" + fingerprint(ik)


def read_address(text: str) -> tuple[str, str | None]:
    """(name, fingerprint or None), split at the first '#'."""
    name, sign, rest = text.partition("#")
    check_name(name)
    if not sign:
        return name, None
    if not FINGERPRINT.fullmatch(rest):
        raise MeshError("identity/fingerprint", "form")
    return name, rest


def match_address(text: str, ik: bytes) -> str:
    """IDENTITY-8: the name of an address whose fingerprint, if it has one, is that of ik."""
    name, expected = read_address(text)
    if expected is not None and expected != fingerprint(ik):
        raise MeshError("identity/fingerprint", "another key")
    return name


def line(name: str, ik: bytes) -> str:
    return name + " " + fingerprint(ik)


def safety_number(p: Peer, q: Peer) -> str:
    lines = sorted((line(p.name, p.ik).encode(), line(q.name, q.ik).encode()))
    return b"\n".join(lines).decode()
