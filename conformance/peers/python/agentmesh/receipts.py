"""§11: receipts of the directory."""

from __future__ import annotations

from dataclasses import dataclass

from . import bundle as bn
from . import encoding as enc
from .encoding import C
from .errors import MeshError
from .suite import label, sign, verify

RECEIPT_SKEW = 300


@dataclass(frozen=True)
class Receipt:
    raw: bytes
    hub_ik: bytes
    name: str
    ik: bytes
    ref: bytes
    seq: int
    time: int


def make_receipt(
    hub_secret: bytes, hub_ik: bytes, name: str, ik: bytes, ref: bytes, seq: int, now: int
) -> bytes:
    body = C([label("directory"), hub_ik, name, ik, ref, seq, now])
    return C([body, sign(hub_secret, body)])


def read_receipt(raw: bytes, hub_ik: bytes) -> Receipt:
    """Shape, hub and signature."""
    try:
        items = enc.array(enc.decode(raw), 2)
        body, sig = enc.bstr(items[0]), enc.bstr(items[1], 64)
        f = enc.array(enc.decode(body), 7)
        enc.label_is(f[0], "directory")
        r = Receipt(
            raw,
            enc.bstr(f[1], 32),
            enc.tstr(f[2]),
            enc.bstr(f[3], 32),
            enc.bstr(f[4], 32),
            enc.uint(f[5]),
            enc.uint(f[6]),
        )
    except MeshError as e:
        raise MeshError("hub/malformed", str(e)) from e
    if r.hub_ik != hub_ik or not verify(hub_ik, body, sig):
        raise MeshError("hub/malformed", "receipt of another hub, or its signature")
    return r


def check_receipt(raw: bytes, bundle: bn.Bundle, hub_ik: bytes, now: int) -> Receipt:
    """HUB-59."""
    r = read_receipt(raw, hub_ik)
    if (r.name, r.ik, r.ref, r.seq) != (bundle.name, bundle.ik, bundle.ref, bundle.seq):
        raise MeshError("hub/malformed", "receipt for another bundle")
    if abs(r.time - now) > RECEIPT_SKEW:
        raise MeshError("hub/malformed", "time of the receipt")
    return r


def compare_receipts(raw1: bytes, raw2: bytes, hub_ik: bytes) -> str:
    try:
        a, b = read_receipt(raw1, hub_ik), read_receipt(raw2, hub_ik)
    except MeshError:
        return "none"
    if a.name != b.name:
        return "none"
    if a.ik != b.ik:
        return "hub-fault"
    if (a.time < b.time and a.seq > b.seq) or (b.time < a.time and b.seq > a.seq):
        return "hub-fault"
    if a.seq == b.seq and a.ref != b.ref:
        return "owner-or-hub-fault"
    return "none"
