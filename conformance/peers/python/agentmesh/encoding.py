"""§3 encoding: deterministic CBOR, one scan, one code per fault."""

from __future__ import annotations

import math
import struct
from typing import Any, NoReturn

from .errors import MeshError

MAX_INT = 2**53 - 1
MAX_ENVELOPE = 1_114_112
MAX_HEADER = 8_192
MAX_CONTENT = 1_000_000
MAX_BUNDLE = 8_192
MAX_OBJECT = 1_114_112
MAX_DEPTH = 8
MAX_PAYLOAD_DEPTH = 32

PROTOCOL = "protocol"
PAYLOAD = "payload"


def fail(what: str, detail: str = "") -> NoReturn:
    raise MeshError("encoding/" + what, detail)


# --- encoder (3.3) -----------------------------------------------------------------------------


def head(major: int, a: int) -> bytes:
    if a < 24:
        return bytes([32 * major + a])
    if a < 2**8:
        return bytes([32 * major + 24]) + a.to_bytes(1, "big")
    if a < 2**16:
        return bytes([32 * major + 25]) + a.to_bytes(2, "big")
    if a < 2**32:
        return bytes([32 * major + 26]) + a.to_bytes(4, "big")
    return bytes([32 * major + 27]) + a.to_bytes(8, "big")


def C(value: Any) -> bytes:
    """The encoding of a protocol structure."""
    out: list[bytes] = []
    _encode(value, out, PROTOCOL, 1)
    return b"".join(out)


def encode_payload(value: Any) -> bytes:
    """The encoding of an application payload; every fault is agent/payload (ENCODING-9)."""
    if not isinstance(value, dict):
        raise MeshError("agent/payload", "not a map")
    out: list[bytes] = []
    try:
        _encode(value, out, PAYLOAD, 1)
    except (ValueError, UnicodeEncodeError) as e:
        raise MeshError("agent/payload", str(e)) from e
    return b"".join(out)


def _encode(v: Any, out: list[bytes], profile: str, depth: int) -> None:
    """Raises ValueError for a value outside the profile (a fault of the local caller)."""
    if depth > (MAX_PAYLOAD_DEPTH if profile == PAYLOAD else MAX_DEPTH):
        raise ValueError("too deep")
    payload = profile == PAYLOAD
    if v is None:
        out.append(b"\xf6")
    elif isinstance(v, bool):
        if not payload:
            raise ValueError("boolean in a protocol structure")
        out.append(b"\xf5" if v else b"\xf4")
    elif isinstance(v, int):
        if abs(v) > MAX_INT:
            # A number that is no int53 travels as float64 (ENCODING-8), if it is exactly one.
            if not payload or abs(v) >= 2**1024 or int(float(v)) != v:
                raise ValueError("integer out of range")
            out.append(b"\xfb" + struct.pack(">d", float(v)))
        elif v >= 0:
            out.append(head(0, v))
        elif payload:
            out.append(head(1, -1 - v))
        else:
            raise ValueError("negative integer in a protocol structure")
    elif isinstance(v, float):
        if not payload:
            raise ValueError("float in a protocol structure")
        if math.isnan(v) or math.isinf(v):
            raise ValueError("no finite number")
        if v.is_integer() and abs(v) <= MAX_INT:
            _encode(int(v), out, profile, depth)
        else:
            out.append(b"\xfb" + struct.pack(">d", v))
    elif isinstance(v, (bytes, bytearray)):
        out.append(head(2, len(v)))
        out.append(bytes(v))
    elif isinstance(v, str):
        raw = v.encode("utf-8")  # a lone surrogate raises UnicodeEncodeError, a ValueError
        out.append(head(3, len(raw)))
        out.append(raw)
    elif isinstance(v, (list, tuple)):
        out.append(head(4, len(v)))
        for item in v:
            _encode(item, out, profile, depth + 1)
    elif isinstance(v, dict):
        if not payload:
            raise ValueError("map in a protocol structure")
        pairs: list[tuple[bytes, Any]] = []
        for key, item in v.items():
            if not isinstance(key, str):
                raise ValueError("map key is no text")
            k: list[bytes] = []
            _encode(key, k, profile, depth + 1)
            pairs.append((b"".join(k), item))
        pairs.sort(key=lambda pair: pair[0])
        out.append(head(5, len(pairs)))
        for kb, item in pairs:
            out.append(kb)
            _encode(item, out, profile, depth + 1)
    else:
        raise ValueError(f"type {type(v).__name__} outside the profile")


# --- scanner (3.4) -----------------------------------------------------------------------------


class _Scanner:
    def __init__(self, data: bytes, profile: str) -> None:
        self.data = data
        self.pos = 0
        self.payload = profile == PAYLOAD
        self.max_depth = MAX_PAYLOAD_DEPTH if self.payload else MAX_DEPTH

    def item(self, depth: int) -> Any:
        data, payload = self.data, self.payload
        if self.pos >= len(data):
            fail("malformed", "initial byte missing")  # check 2
        initial = data[self.pos]
        self.pos += 1
        major, info = initial >> 5, initial & 31
        if 28 <= info <= 30 or (info == 31 and major in (0, 1, 6, 7)):
            fail("malformed", "additional information without meaning")  # check 2
        arg = info
        size = 0
        if 24 <= info <= 27:
            size = 1 << (info - 24)
            if len(data) - self.pos < size:
                fail("malformed", "argument bytes missing")  # check 3
            arg = int.from_bytes(data[self.pos : self.pos + size], "big")
            self.pos += size
        if major == 7 and info == 24 and arg < 32:
            fail("malformed", "two-byte simple value below 32")  # check 3

        # check 4: the profile
        if info == 31:
            fail("profile", "indefinite length")
        if major == 6:
            fail("profile", "tag")
        if major == 7:
            allowed = info == 22 or (payload and info in (20, 21, 27))
            if not allowed:
                fail("profile", "simple value or float")
        if not payload and major in (1, 5):
            fail("profile", "negative integer or map")

        # check 5: shortest form
        if major != 7 and size:
            if arg < (24, 2**8, 2**16, 2**32)[info - 24]:
                fail("profile", "not the shortest form")

        # check 6: integers only; a length or count is judged by check 8
        if major == 0 and arg > MAX_INT:
            fail("limit", "integer")
        if major == 1 and arg > MAX_INT - 1:
            fail("limit", "integer")

        if depth > self.max_depth:  # check 7
            fail("limit", "depth")

        left = len(data) - self.pos
        if major in (2, 3) and arg > left:  # check 8
            fail("malformed", "string longer than the input")
        if major == 4 and arg > left:
            fail("malformed", "more items than bytes")
        if major == 5 and 2 * arg > left:
            fail("malformed", "more pairs than bytes")

        if major == 0:
            return arg
        if major == 1:
            return -1 - arg
        if major == 2:
            return self._take(arg)
        if major == 3:
            raw = self._take(arg)
            try:
                return raw.decode("utf-8")  # check 9
            except UnicodeDecodeError:
                fail("profile", "no UTF-8")
        if major == 4:
            return [self.item(depth + 1) for _ in range(arg)]
        if major == 5:
            return self._map(arg, depth)
        if info == 22:
            return None
        if info in (20, 21):
            return info == 21
        number = struct.unpack(">d", arg.to_bytes(8, "big"))[0]  # check 10
        if math.isnan(number) or math.isinf(number):
            fail("profile", "no finite number")
        if number.is_integer() and abs(number) <= MAX_INT:
            fail("profile", "integer as float")
        return number

    def _take(self, n: int) -> bytes:
        raw = self.data[self.pos : self.pos + n]
        self.pos += n
        return raw

    def _map(self, pairs: int, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        previous: bytes | None = None
        for _ in range(pairs):
            start = self.pos
            key = self.item(depth + 1)
            encoded = self.data[start : self.pos]
            if not isinstance(key, str) or (previous is not None and encoded <= previous):
                fail("profile", "map key")  # check 11
            previous = encoded
            result[key] = self.item(depth + 1)
        return result


def decode(data: bytes, profile: str = PROTOCOL, limit: int = MAX_OBJECT) -> Any:
    """Checks 1 to 12, and 14 for a payload."""
    if len(data) > limit:
        fail("limit", "size")
    scanner = _Scanner(bytes(data), profile)
    value = scanner.item(1)
    if scanner.pos != len(data):
        fail("malformed", "bytes after the item")
    if profile == PAYLOAD and not isinstance(value, dict):
        fail("shape", "payload is no map")
    return value


def decode_payload(data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = decode(data, PAYLOAD)
    return value


# --- shapes (check 13) -------------------------------------------------------------------------


def array(v: Any, count: int | None = None, least: int = 0, most: int | None = None) -> list[Any]:
    if not isinstance(v, list):
        fail("shape", "no array")
    if count is not None and len(v) != count:
        fail("shape", "arity")
    if len(v) < least or (most is not None and len(v) > most):
        fail("shape", "list length")
    return v


def uint(v: Any, low: int = 0, high: int = MAX_INT) -> int:
    if isinstance(v, bool) or not isinstance(v, int) or v < low or v > high:
        fail("shape", "no unsigned integer in range")
    return v


def bstr(v: Any, size: int | None = None) -> bytes:
    if not isinstance(v, bytes) or (size is not None and len(v) != size):
        fail("shape", "byte string")
    return v


def bstr_or_null(v: Any, size: int | None = None) -> bytes | None:
    return None if v is None else bstr(v, size)


def tstr(v: Any) -> str:
    if not isinstance(v, str):
        fail("shape", "no text")
    return v


def label_is(v: Any, purpose: str) -> None:
    if v != "AgentMesh/1 " + purpose:
        fail("shape", "label")
