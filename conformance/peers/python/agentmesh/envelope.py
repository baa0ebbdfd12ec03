"""§9 envelope: headers, contents, padding, signature and seal, proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import encoding as enc
from .encoding import MAX_CONTENT, MAX_ENVELOPE, MAX_HEADER, C
from .errors import MeshError
from .identity import Peer
from .keyschedule import Block, Trace, note, seal_key
from .padding import MAX_PADDED, pad, unpad
from .suite import H, aead_open, aead_seal, check_ed25519, label, sign, verify

MAX_CONTENTS = 64
MAX_RECEIPTS = 256
MIN_CT = 272
MAX_CT = 1_081_360

APPLICATION, HEAL, RECEIPT = 0, 1, 2


# --- contents ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Content:
    kind: int
    id: bytes
    sent_ms: int
    re: bytes | None
    ask: int
    body: bytes
    receipts: tuple[tuple[bytes, int], ...] = ()


def encode_content(
    kind: int, content_id: bytes, sent_ms: int, re: bytes | None, ask: int, body: bytes
) -> bytes:
    return C([kind, content_id, sent_ms, re, ask, body])


def encode_receipts(receipts: Sequence[tuple[bytes, int]]) -> bytes:
    if not 1 <= len(receipts) <= MAX_RECEIPTS:
        raise ValueError("number of receipts")
    return C([[i, s] for i, s in receipts])


def content_hash(content: bytes) -> bytes:
    return H(C([label("content"), content]))


def read_content(raw: bytes) -> Content:
    """Steps 8 and 9; every fault is envelope/content. A payload is judged later (§12.4)."""
    try:
        items = enc.array(enc.decode(raw, limit=MAX_CONTENT), 6)
        kind = enc.uint(items[0])
        content_id = enc.bstr(items[1], 16)
        sent_ms = enc.uint(items[2])
        re = enc.bstr_or_null(items[3], 16)
        ask = enc.uint(items[4])
        body = enc.bstr(items[5])
        receipts: list[tuple[bytes, int]] = []
        if kind > RECEIPT or ask > 1:
            raise MeshError("envelope/content", "kind or ask")
        if kind != APPLICATION and (re is not None or ask != 0):
            raise MeshError("envelope/content", "re or ask of a heal or receipt")
        if kind == HEAL and body:
            raise MeshError("envelope/content", "body of a heal")
        if kind == RECEIPT:
            for entry in enc.array(enc.decode(body), least=1, most=MAX_RECEIPTS):
                pair = enc.array(entry, 2)
                receipts.append((enc.bstr(pair[0], 16), enc.uint(pair[1])))
            if any(not 1 <= status <= 3 for _, status in receipts):
                raise MeshError("envelope/content", "receipt status")
        return Content(kind, content_id, sent_ms, re, ask, body, tuple(receipts))
    except MeshError as e:
        raise MeshError("envelope/content", str(e)) from e


def readable_id(raw: bytes) -> bytes | None:
    """ENVELOPE-17: the id of a refused content that is receipted; by the limit MAX_OBJECT."""
    try:
        items = enc.array(enc.decode(raw), 6)
    except MeshError:
        return None
    if (
        items[0] == 0
        and isinstance(items[0], int)
        and isinstance(items[1], bytes)
        and len(items[1]) == 16
    ):
        return items[1]
    return None


# --- header ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    raw: bytes
    sid: bytes
    block: Block
    pn: int
    n: int
    guard: bytes
    init: tuple[Any, ...] | None


@dataclass(frozen=True)
class Envelope:
    header: Header
    ct: bytes


def read_block(v: Any) -> Block:
    items = enc.array(v, 3)
    return Block(
        enc.bstr(items[0], 32), enc.bstr_or_null(items[1], 1184), enc.bstr_or_null(items[2], 1088)
    )


def read_init(v: Any) -> tuple[Any, ...]:
    items = enc.array(v, 8)
    enc.uint(items[0])
    enc.bstr(items[1], 32)
    enc.bstr_or_null(items[2], 32)
    enc.tstr(items[3])
    for key in items[4:7]:
        enc.bstr(key, 32)
    enc.bstr_or_null(items[7], 1088)
    return tuple(items)


def read_header(raw: bytes) -> Header:
    """Steps 3 to 5."""
    items = enc.decode(raw, limit=MAX_HEADER)
    enc.uint(enc.array(items, least=1)[0])
    if items[0] != 1:
        raise MeshError("envelope/version")
    enc.array(items, 7)
    sid = enc.bstr(items[1], 16)
    block = read_block(items[2])
    pn, n = enc.uint(items[3]), enc.uint(items[4])
    guard = enc.bstr(items[5], 16)
    init = None if items[6] is None else read_init(items[6])
    return Header(raw, sid, block, pn, n, guard, init)


def read_envelope(raw: bytes) -> Envelope:
    """Steps 1 to 5."""
    items = enc.array(enc.decode(raw, limit=MAX_ENVELOPE), 2)
    header, ct = enc.bstr(items[0]), enc.bstr(items[1])
    if len(header) > MAX_HEADER or not MIN_CT <= len(ct) <= MAX_CT:
        enc.fail("limit", "header or ct")
    return Envelope(read_header(header), ct)


def inner_length(lengths: Sequence[int]) -> int:
    """len(I) for contents of these lengths."""

    def head(n: int) -> int:
        return 1 if n < 24 else 2 if n < 2**8 else 3 if n < 2**16 else 5

    return 1 + head(len(lengths)) + sum(head(n) + n for n in lengths) + 2 + 64


# --- seal and open -----------------------------------------------------------------------------


def signed_bytes(
    suite: int, th: bytes, sender: str, recipient: str, header: bytes, hashes: list[bytes]
) -> bytes:
    return C([label("message"), suite, th, sender, recipient, header, hashes])


def associated_data(th: bytes, header: bytes) -> bytes:
    return C([label("envelope"), th, header])


def seal(
    suite: int,
    th: bytes,
    sender: str,
    ik_secret: bytes,
    recipient: str,
    mk: bytes,
    guard: bytes,
    block: Block,
    pn: int,
    n: int,
    init: Sequence[Any] | None,
    contents: list[bytes],
    trace: Trace | None = None,
) -> bytes:
    if not 1 <= len(contents) <= MAX_CONTENTS:
        raise ValueError("number of contents")
    header = C([1, th[:16], block.item(), pn, n, guard, list(init) if init is not None else None])
    hashes = [content_hash(c) for c in contents]
    sig = sign(ik_secret, signed_bytes(suite, th, sender, recipient, header, hashes))
    inner = C([contents, sig])
    if len(inner) + 1 > MAX_PADDED:
        raise ValueError("inner too long")
    padded = pad(inner)
    key, nonce = seal_key(suite, th, mk, guard)
    aad = associated_data(th, header)
    for name, value in (
        ("mk", mk),
        ("key", key),
        ("nonce", nonce),
        ("aad", aad),
        ("inner", inner),
        ("padded", padded),
    ):
        note(trace, name, value)
    return C([header, aead_seal(key, nonce, padded, aad)])


def open_with(
    suite: int,
    th: bytes,
    mk: bytes,
    envelope: Envelope,
    sender: Peer,
    recipient: str,
    trace: Trace | None = None,
) -> list[bytes]:
    """Step 6: everything that fails is envelope/open."""
    key, nonce = seal_key(suite, th, mk, envelope.header.guard)
    aad = associated_data(th, envelope.header.raw)
    for name, value in (("mk", mk), ("key", key), ("nonce", nonce), ("aad", aad)):
        note(trace, name, value)
    padded = aead_open(key, nonce, envelope.ct, aad)
    inner = unpad(padded)
    note(trace, "inner", inner)
    note(trace, "padded", padded)
    try:
        items = enc.array(enc.decode(inner), 2)
        contents = [enc.bstr(c) for c in enc.array(items[0], least=1, most=MAX_CONTENTS)]
        sig = enc.bstr(items[1], 64)
    except MeshError as e:
        raise MeshError("envelope/open", "inner") from e
    hashes = [content_hash(c) for c in contents]
    message = signed_bytes(suite, th, sender.name, recipient, envelope.header.raw, hashes)
    if not verify(sender.ik, message, sig):
        raise MeshError("envelope/open", "signature")
    return contents


def verify_proof(
    suite: int,
    th: bytes,
    sender: Peer,
    recipient: str,
    header: bytes,
    hashes: list[bytes],
    index: int,
    content: bytes,
    sig: bytes,
) -> bytes:
    """The hash of the shown content, if the proof is valid."""
    if not 0 <= index < len(hashes):
        raise MeshError("envelope/open", "index")
    try:
        check_ed25519(sender.ik)
    except MeshError as e:
        raise MeshError("envelope/open", "key") from e
    own = content_hash(content)
    checked = list(hashes)
    checked[index] = own
    if not verify(sender.ik, signed_bytes(suite, th, sender.name, recipient, header, checked), sig):
        raise MeshError("envelope/open", "proof")
    return own
