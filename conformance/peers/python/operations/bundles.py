"""Operations of §6 and §8."""

from __future__ import annotations

from agentmesh import bundle as bn
from agentmesh import encoding as enc
from agentmesh import envelope as env
from agentmesh import handshake as hs
from agentmesh import identity as idn
from agentmesh import keyschedule as ks
from agentmesh import onetime as ot
from agentmesh import suite as st
from agentmesh.errors import MeshError

from .core import Out, Trace, op
from .values import draws_of, identity_of, secret_of, unhex


@op("bundle.accept")
def bundle_accept(a: Out, t: Trace) -> Out:
    c = a["context"]
    known = bn.Known(c["known"]["seq"], unhex(c["known"].get("ref"))) if c.get("known") else None
    b = bn.accept(
        bytes.fromhex(a["bytes"]),
        c["now"],
        c.get("name"),
        c.get("fingerprint"),
        unhex(c.get("pinned")),
        known,
    )
    t.append(("bundle-ref", b.ref))
    return {
        "ref": b.ref.hex(),
        "fingerprint": idn.fingerprint(b.ik),
        "digest": st.H(b.raw).hex(),
        "seq": b.seq,
        "suites": [p.suite for p in b.prekeys],
    }


@op("bundle.create")
def bundle_create(a: Out, t: Trace) -> Out:
    raw, secrets = bn.create(
        identity_of(a["identity"]),
        draws_of(a),
        a["seq"],
        a["now"],
        a["suites"],
        a.get("flags", 0),
        a.get("lifetime", bn.MAX_BUNDLE_LIFETIME),
    )
    return {
        "bundle": raw.hex(),
        "ref": bn.read_bundle(raw).ref.hex(),
        "prekeys": [
            {"suite": s.suite, "x": s.x_secret.hex(), "kem": s.kd.hex() if s.kd else None}
            for s in secrets
        ],
    }


@op("bundle.createOneTime")
def bundle_create_one_time(a: Out, t: Trace) -> Out:
    raw, s = ot.create(identity_of(a["identity"]), draws_of(a), a["suite"], a["now"])
    return {
        "key": raw.hex(),
        "ref": ot.read(raw).ref.hex(),
        "x": s.x_secret.hex(),
        "kem": s.kd.hex() if s.kd else None,
    }


@op("bundle.card")
def bundle_card(a: Out, t: Trace) -> Out:
    return {"card": ot.write_card(bytes.fromhex(a["bundle"]))}


@op("bundle.readCard")
def bundle_read_card(a: Out, t: Trace) -> Out:
    return {"bundle": ot.read_card(a["card"]).hex()}


@op("bundle.acceptOneTime")
def bundle_accept_one_time(a: Out, t: Trace) -> Out:
    b = bn.read_bundle(bytes.fromhex(a["bundle"]))
    k = ot.accept(bytes.fromhex(a["key"]), b, a["suite"], a["now"])
    return {"ref": k.ref.hex(), "notAfter": k.not_after}


@op("handshake.derive")
def handshake_derive(a: Out, t: Trace) -> Out:
    init = list(env.read_init(enc.decode(bytes.fromhex(a["init"]))))
    th = ks.transcript_hash(init, a["responder"]["name"], bytes.fromhex(a["responder"]["ik"]))
    rk = ks.root(th, init[0], [bytes.fromhex(d) for d in a["dh"]], unhex(a.get("ss")), t)
    return {"th": th.hex(), "sid": th[:16].hex(), "rk": rk.hex()}


@op("handshake.initiate")
def handshake_initiate(a: Out, t: Trace) -> Out:
    b = bn.accept(bytes.fromhex(a["bundle"]), a["now"])
    i = hs.initiate(
        identity_of(a["identity"]),
        b,
        unhex(a["oneTime"]),
        a["suites"],
        a["remembered"],
        draws_of(a),
        a["now"],
        trace=t,
    )
    return {
        "suite": i.suite,
        "init": enc.C(i.init).hex(),
        "th": i.th.hex(),
        "sid": i.th[:16].hex(),
        "rk": i.rk0.hex(),
    }


@op("handshake.respond")
def handshake_respond(a: Out, t: Trace) -> Out:
    own = identity_of(a["identity"])
    bundles = [
        hs.LiveBundle(
            bn.read_bundle(bytes.fromhex(v["bundle"])),
            tuple(secret_of(p, p["suite"]) for p in v["prekeys"]),
            bytes.fromhex(v.get("dkSecret", own.dk_secret.hex())),
        )
        for v in a["bundles"]
    ]
    replayed = (
        {bytes.fromhex(th): bundles[0].bundle.ref for th in a.get("replayed", [])}
        if bundles
        else {}
    )
    one_times = []
    for v in a["oneTimes"]:
        key = ot.read(bytes.fromhex(v["key"]))
        one_times.append(hs.LiveOneTime(key, secret_of(v, key.suite)))
    sids = [bytes.fromhex(x) for x in a.get("sids", [])]
    responder = hs.Responder(
        own,
        bundles,
        replayed,
        one_times,
        a["suites"],
        lambda p: a["remembered"],
        lambda th: None,
        lambda sid: sid in sids,
        lambda name: unhex(a.get("pins", {}).get(name)),
        lambda p: a.get("trusted", True),
        lambda p: a.get("room", True),
    )
    envelope = env.read_envelope(bytes.fromhex(a["envelope"]))
    if envelope.header.init is None:
        raise MeshError("session/unknown")
    r = hs.respond(
        responder, envelope, a["now"], st.SystemDraws(), from_name=a.get("from"), trace=t
    )
    return {
        "th": r.session.state.th.hex(),
        "sid": r.session.sid.hex(),
        "rk": r.rk0.hex(),
        "contents": [c.hex() for c in r.contents],
    }
