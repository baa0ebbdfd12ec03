"""Rows of the store as bytes: dataclasses as arrays of their fields, in the encoding of §3."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any

from . import encoding as enc


def _plain(v: Any) -> Any:
    if isinstance(v, bool):
        return int(v)
    if dataclasses.is_dataclass(v):
        return [_plain(getattr(v, f.name)) for f in dataclasses.fields(v)]
    if isinstance(v, (list, tuple)):
        return [_plain(x) for x in v]
    return v


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = typing.get_type_hints(kind)
    return tuple((f.name, hints[f.name]) for f in dataclasses.fields(kind))


def _typed(kind: Any, v: Any) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if v is None else _typed(next(a for a in args if a is not type(None)), v)
    if origin is list:
        return [_typed(args[0], x) for x in v]
    if origin is tuple:
        if args[-1] is Ellipsis:
            return tuple(_typed(args[0], x) for x in v)
        return tuple(_typed(a, x) for a, x in zip(args, v, strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        fields = _fields(kind)
        return kind(**{name: _typed(hint, x) for (name, hint), x in zip(fields, v, strict=True)})
    return bool(v) if kind is bool else v


def dump(row: Any) -> bytes:
    return enc.C(_plain(row))


def load(kind: Any, raw: bytes) -> Any:
    """Raises MeshError or ValueError for bytes that `dump` did not make."""
    return _typed(kind, enc.decode(raw, limit=2 * enc.MAX_OBJECT))
