"""Operations of §9 and §10."""

from __future__ import annotations

from agentmesh import encoding as enc
from agentmesh import envelope as env
from agentmesh import padding
from agentmesh import suite as st
from agentmesh.errors import MeshError
from agentmesh.session import Session

from .core import HANDLES, Out, Trace, op
from .values import block_of, draws_of, exchange_of, identity_of, peer_of, secret_of, unhex


@op("envelope.open")
def envelope_open(a: Out, t: Trace) -> Out:
    e = env.read_envelope(bytes.fromhex(a["envelope"]))
    contents = env.open_with(
        a["suite"],
        bytes.fromhex(a["th"]),
        bytes.fromhex(a["mk"]),
        e,
        peer_of(a["sender"]),
        a["recipient"],
        t,
    )
    inner = enc.decode(next(v for n, v in t if n == "inner"))
    return {
        "contents": [c.hex() for c in contents],
        "sid": e.header.sid.hex(),
        "sig": inner[1].hex(),
    }


@op("envelope.seal")
def envelope_seal(a: Out, t: Trace) -> Out:
    init = None if a["init"] is None else env.read_init(enc.decode(bytes.fromhex(a["init"])))
    sealed = env.seal(
        a["suite"],
        bytes.fromhex(a["th"]),
        a["sender"]["name"],
        bytes.fromhex(a["sender"]["ikSecret"]),
        a["recipient"],
        bytes.fromhex(a["mk"]),
        bytes.fromhex(a["guard"]),
        block_of(a["block"]),
        a["pn"],
        a["n"],
        init,
        [bytes.fromhex(c) for c in a["contents"]],
        t,
    )
    return {"envelope": sealed.hex()}


@op("envelope.pad")
def envelope_pad(a: Out, t: Trace) -> Out:
    padded = padding.pad(bytes(a["length"]))
    return {"padded": len(padded), "filler": padded[a["length"] :][:4].hex()}


@op("envelope.unpad")
def envelope_unpad(a: Out, t: Trace) -> Out:
    return {"length": len(padding.unpad(bytes.fromhex(a["padded"])))}


@op("envelope.makeContent")
def envelope_make_content(a: Out, t: Trace) -> Out:
    return {
        "content": env.encode_content(
            a["kind"],
            bytes.fromhex(a["id"]),
            a["sentMs"],
            unhex(a["re"]),
            a["ask"],
            bytes.fromhex(a["body"]),
        ).hex()
    }


@op("envelope.content")
def envelope_content(a: Out, t: Trace) -> Out:
    raw = bytes.fromhex(a["content"])
    c = env.read_content(raw)
    if c.kind == env.APPLICATION:
        try:
            enc.decode_payload(c.body)
        except MeshError as e:
            raise MeshError("agent/payload", str(e)) from e
    return {
        "kind": c.kind,
        "sentMs": c.sent_ms,
        "ask": c.ask,
        "digest": st.H(raw).hex(),
        "statuses": [s for _, s in c.receipts],
    }


@op("envelope.proof")
def envelope_proof(a: Out, t: Trace) -> Out:
    th, sender, header = bytes.fromhex(a["th"]), peer_of(a["sender"]), bytes.fromhex(a["header"])
    hashes = [bytes.fromhex(h) for h in a["hashes"]]
    own = env.verify_proof(
        a["suite"],
        th,
        sender,
        a["recipient"],
        header,
        hashes,
        a["index"],
        bytes.fromhex(a["content"]),
        bytes.fromhex(a["sig"]),
    )
    hashes[a["index"]] = own
    signed = env.signed_bytes(a["suite"], th, sender.name, a["recipient"], header, hashes)
    return {"contentHash": own.hex(), "digest": st.H(signed).hex()}


@op("session.new")
def session_new(a: Out, t: Trace) -> Out:
    own, peer, draws = identity_of(a["identity"]), peer_of(a["peer"]), draws_of(a)
    th, rk, now = bytes.fromhex(a["th"]), bytes.fromhex(a["rk"]), a.get("now", 0)
    if a["role"] == "initiator":
        init = env.read_init(enc.decode(bytes.fromhex(a["init"])))
        s = Session.initiator(
            own, peer, a["suite"], th, rk, init, exchange_of(a["remote"]), draws, now
        )
    else:
        public = exchange_of(a["own"]["public"])
        secret = secret_of(a["own"], a["suite"])
        s = Session.responder(own, peer, a["suite"], th, rk, secret, public, draws, now)
    return {"handle": HANDLES.add(s), "view": s.view().hex()}


@op("session.seal")
def session_seal(a: Out, t: Trace) -> Out:
    s = HANDLES.get(a["session"], Session)
    sealed = s.seal([bytes.fromhex(c) for c in a["contents"]], t)
    return {"envelope": sealed.hex(), "view": s.view().hex()}


@op("session.open")
def session_open(a: Out, t: Trace) -> Out:
    """Begins at §10.4, step 1 (§10.5)."""
    s = HANDLES.get(a["session"], Session)
    e = env.read_envelope(bytes.fromhex(a["envelope"]))
    if e.header.sid != s.sid or (s.confirmed and s.expired(a["now"])):
        raise MeshError("session/unknown")
    contents = s.open(e, a["now"], trace=t)
    return {"contents": [c.hex() for c in contents], "view": s.view().hex()}


@op("session.expire")
def session_expire(a: Out, t: Trace) -> Out:
    """What a clean-up at `now` erases (SESSION-16, SESSION-22)."""
    s = HANDLES.get(a["session"], Session)
    if s.confirmed and s.expired(a["now"]):
        raise MeshError("session/unknown")
    s.clean(a["now"])
    return {"view": s.view().hex()}


@op("session.digest")
def session_digest(a: Out, t: Trace) -> Out:
    return {"digest": HANDLES.get(a["session"], Session).digest().hex()}
