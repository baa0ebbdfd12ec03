"""§9.3, padding to Padmé lengths."""

from __future__ import annotations

from .errors import MeshError

MAX_PADDED = 1_081_344
MIN_PADDED = 256


def padme(length: int) -> int:
    if length < 2:
        return length
    e = length.bit_length() - 1
    s = (e.bit_length() - 1) + 1
    if e - s <= 0:
        return length
    m = (1 << (e - s)) - 1
    return (length + m) & ~m


def padded_length(inner: int) -> int:
    return max(MIN_PADDED, padme(inner + 1))


def pad(inner: bytes) -> bytes:
    return inner + b"\x80" + bytes(padded_length(len(inner)) - len(inner) - 1)


def unpad(padded: bytes) -> bytes:
    stripped = padded.rstrip(b"\x00")
    if not stripped.endswith(b"\x80"):
        raise MeshError("envelope/open", "padding")
    inner = stripped[:-1]
    if padded_length(len(inner)) != len(padded):
        raise MeshError("envelope/open", "padded length")
    return inner
