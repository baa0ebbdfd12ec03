"""Values of the driver protocol: hex, tagged CBOR values, the objects that recur."""

from __future__ import annotations

import struct
from typing import Any

from agentmesh import bundle as bn
from agentmesh import identity as idn
from agentmesh import keyschedule as ks
from agentmesh import testmode as tm

Json = dict[str, Any]


def unhex(v: str | None) -> bytes | None:
    return None if v is None else bytes.fromhex(v)


def from_json(v: list[Any]) -> Any:
    kind = v[0]
    if kind in ("uint", "nint"):
        return int(v[1])
    if kind == "bytes":
        return bytes.fromhex(v[1])
    if kind in ("text", "bool"):
        return v[1]
    if kind == "null":
        return None
    if kind == "float":
        return struct.unpack(">d", bytes.fromhex(v[1]))[0]
    if kind == "array":
        return [from_json(x) for x in v[1:]]
    if kind == "map":
        return {k: from_json(x) for k, x in v[1:]}
    raise ValueError(f"value {kind}")


def to_json(v: Any) -> list[Any]:
    if v is None:
        return ["null"]
    if isinstance(v, bool):
        return ["bool", v]
    if isinstance(v, int):
        return ["uint" if v >= 0 else "nint", str(v)]
    if isinstance(v, bytes):
        return ["bytes", v.hex()]
    if isinstance(v, str):
        return ["text", v]
    if isinstance(v, float):
        return ["float", struct.pack(">d", v).hex()]
    if isinstance(v, list):
        return ["array", *(to_json(x) for x in v)]
    return ["map", *([k, to_json(x)] for k, x in v.items())]


def identity_of(v: Json) -> idn.Identity:
    return idn.Identity(v["name"], bytes.fromhex(v["ikSecret"]), bytes.fromhex(v["dkSecret"]))


def peer_of(v: Json) -> idn.Peer:
    return idn.Peer(v["name"], bytes.fromhex(v["ik"]))


def block_of(v: Json) -> ks.Block:
    return ks.Block(bytes.fromhex(v["x"]), unhex(v["ek"]), unhex(v["kemCt"]))


def exchange_of(v: Json) -> ks.PublicKeys:
    return ks.PublicKeys(bytes.fromhex(v["x"]), unhex(v["ek"]))


def secret_of(v: Json, suite: int) -> bn.SecretKey:
    return bn.SecretKey(suite, bytes.fromhex(v["x"]), unhex(v["kem"]))


def draws_of(v: Json) -> tm.SeededDraws:
    return tm.SeededDraws(bytes.fromhex(v["seed"]))
