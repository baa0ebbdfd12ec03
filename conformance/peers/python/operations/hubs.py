"""Operations of §11, without a port."""

from __future__ import annotations

from agentmesh import bundle as bn
from agentmesh import encoding as enc
from agentmesh import hub as hb
from agentmesh import receipts as rc
from agentmesh import suite as st
from agentmesh import testmode as tm
from agentmesh.errors import MeshError
from agentmesh.hubrequests import Hub

from .core import HANDLES, Out, Trace, op
from .values import draws_of, identity_of, peer_of, unhex


def limits_of(v: Out) -> hb.Limits:
    return hb.Limits(**{k.replace("-", "_"): n for k, n in v.items()})


def hub_secret(draws: tm.SeededDraws) -> bytes:
    return draws.draw("identity", 32)


@op("hub.decode")
def hub_decode(a: Out, t: Trace) -> Out:
    raw = bytes.fromhex(a["bytes"])
    hb.decode_frame(raw)
    return {"frameHash": hb.frame_hash(raw).hex()}


@op("hub.hello")
def hub_hello(a: Out, t: Trace) -> Out:
    return {"frame": hb.make_hello(draws_of(a), a["versions"]).hex()}


@op("hub.welcome")
def hub_welcome(a: Out, t: Trace) -> Out:
    draws, hello = draws_of(a), bytes.fromhex(a["hello"])
    secret = hub_secret(draws)
    t.append(("hello-hash", hb.frame_hash(hello)))
    return {
        "frame": hb.make_welcome(
            secret, st.ed25519_public(secret), draws, hello, 1, limits_of(a["limits"])
        ).hex()
    }


@op("hub.auth")
def hub_auth(a: Out, t: Trace) -> Out:
    hello, welcome = bytes.fromhex(a["hello"]), bytes.fromhex(a["welcome"])
    w = hb.check_welcome(hello, welcome, unhex(a["pinned"]))
    t.append(("welcome-hash", hb.frame_hash(welcome)))
    return {"frame": hb.make_auth(identity_of(a["identity"]), hello, w).hex()}


@op("hub.receipt")
def hub_receipt(a: Out, t: Trace) -> Out:
    secret, owner = hub_secret(draws_of(a)), peer_of(a["owner"])
    return {
        "receipt": rc.make_receipt(
            secret,
            st.ed25519_public(secret),
            owner.name,
            owner.ik,
            bytes.fromhex(a["ref"]),
            a["seq"],
            a["time"],
        ).hex()
    }


@op("hub.checkReceipt")
def hub_check_receipt(a: Out, t: Trace) -> Out:
    raw = bytes.fromhex(a["receipt"])
    rc.check_receipt(
        raw, bn.read_bundle(bytes.fromhex(a["bundle"])), bytes.fromhex(a["hubIk"]), a["now"]
    )
    return {"digest": st.H(raw).hex()}


@op("hub.compareReceipts")
def hub_compare_receipts(a: Out, t: Trace) -> Out:
    x, y = bytes.fromhex(a["a"]), bytes.fromhex(a["b"])
    return {
        "verdict": rc.compare_receipts(x, y, bytes.fromhex(a["hubIk"])),
        "digest": st.H(x + y).hex(),
    }


@op("hub.new")
def hub_new(a: Out, t: Trace) -> Out:
    draws = draws_of(a)
    h = Hub(draws, hub_secret(draws), limits_of(a["limits"]), a.get("maxNames"))
    return {"handle": HANDLES.add(h), "hubIk": h.ik.hex()}


def frames_out(h: Hub, link: str, frames: list[tuple[str, bytes]]) -> Out:
    """As hub.frame says: the code if the last frame to `link` is an ERR."""
    own = [raw for to, raw in frames if to == link]
    if own:
        last = enc.decode(own[-1], limit=hb.MAX_FRAME)
        if last[0] == hb.ERR:
            raise MeshError(hb.error_code(last[2]))
    return {
        "frames": [[to, raw.hex()] for to, raw in sorted(frames, key=lambda f: f[0])],
        "closed": sorted(h.closed),
    }


@op("hub.frame")
def hub_frame(a: Out, t: Trace) -> Out:
    h = HANDLES.get(a["hub"], Hub)
    return frames_out(
        h, a["link"], h.frame(a["link"], bytes.fromhex(a["frame"]), a["now"], a.get("fail", False))
    )


@op("hub.close")
def hub_close(a: Out, t: Trace) -> Out:
    h = HANDLES.get(a["hub"], Hub)
    h.close(a["link"])
    return frames_out(h, a["link"], [])


@op("hub.restart")
def hub_restart(a: Out, t: Trace) -> Out:
    HANDLES.get(a["hub"], Hub).restart()
    return {}


@op("hub.digest")
def hub_digest(a: Out, t: Trace) -> Out:
    return {"digest": HANDLES.get(a["hub"], Hub).digest().hex()}
