#!/usr/bin/python3
"""Recomputes the cases of vectors/*.json with the package beside this file.

usage: recompute.py DIRECTORY-OR-FILE ... [-v]
"""
from __future__ import annotations

import copy
import json
import sys
import time
from pathlib import Path
from typing import Any, Callable

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from agentmesh import agent as ag
from agentmesh import bundle as bn
from agentmesh import encoding as enc
from agentmesh import envelope as env
from agentmesh import handshake as hs
from agentmesh import hub as hb
from agentmesh import identity as idn
from agentmesh import keyschedule as ks
from agentmesh import suite as st
from agentmesh import testmode as tm
from agentmesh.errors import MeshError
from agentmesh.hubserver import Hub
from agentmesh.session import Session

Out = dict[str, Any]
Trace = list[tuple[str, bytes]]


class Skip(Exception):
    pass


# --- values ------------------------------------------------------------------------------------

def bulk(v: Any) -> Any:
    """{"repeat","times"} and {"concat"} become hex."""
    if isinstance(v, dict):
        if set(v) == {"repeat", "times"}:
            return v["repeat"] * v["times"]
        if set(v) == {"concat"}:
            return "".join(bulk(p) for p in v["concat"])
        return {k: bulk(x) for k, x in v.items()}
    if isinstance(v, list):
        return [bulk(x) for x in v]
    return v


def unhex(v: str | None) -> bytes | None:
    return None if v is None else bytes.fromhex(v)


def from_json(v: list[Any]) -> Any:
    import struct
    kind = v[0]
    if kind in ("uint", "nint"):
        return int(v[1])
    if kind == "bytes":
        return bytes.fromhex(bulk(v[1]))
    if kind == "text":
        return v[1]
    if kind == "null":
        return None
    if kind == "bool":
        return v[1]
    if kind == "float":
        return struct.unpack(">d", bytes.fromhex(v[1]))[0]
    if kind == "array":
        return [from_json(x) for x in v[1:]]
    if kind == "map":
        return {k: from_json(x) for k, x in v[1:]}
    raise Skip(f"value {kind}")


def to_json(v: Any) -> list[Any]:
    import struct
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


def matches(expected: Any, got: Any) -> bool:
    """The output has to hold what `expected` holds; more is allowed."""
    if isinstance(expected, dict) and set(expected) == {"sha256", "length"}:
        raw = bytes.fromhex(got) if isinstance(got, str) else None
        return raw is not None and len(raw) == expected["length"] and st.H(raw).hex() == expected["sha256"]
    expected = bulk(expected) if isinstance(expected, dict) and set(expected) in ({"repeat", "times"}, {"concat"}) else expected
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(k in got and matches(v, got[k]) for k, v in expected.items())
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(matches, expected, got))
    return type(expected) is type(got) and expected == got


def apply_bytes(args: Out, m: Out) -> Out:
    """A mutation of level `bytes`, on the hex argument at the dotted path `field`."""
    args = copy.deepcopy(args)
    path = m["field"].split(".")
    target: Any = args
    for p in path[:-1]:
        target = target[int(p)] if isinstance(target, list) else target[p]
    last: Any = int(path[-1]) if isinstance(target, list) else path[-1]
    raw = bytearray.fromhex(bulk(target[last]))
    at = m["at"] if m["at"] >= 0 else len(raw) + m["at"]
    if "xor" in m:
        for i, b in enumerate(bytes.fromhex(m["xor"])):
            raw[at + i] ^= b
    else:
        cut = len(bytes.fromhex(bulk(m["cut"])))
        raw[at:at + cut] = bytes.fromhex(bulk(m["put"]))
    target[last] = raw.hex()
    return args


# --- arguments ---------------------------------------------------------------------------------

def identity_of(v: Out) -> idn.Identity:
    return idn.Identity(v["name"], bytes.fromhex(v["ikSecret"]), bytes.fromhex(v["dkSecret"]))


def peer_of(v: Out) -> idn.Peer:
    return idn.Peer(v["name"], bytes.fromhex(v["ik"]))


def block_of(v: Out) -> ks.Block:
    x = unhex(v["x"])
    assert x is not None
    return ks.Block(x, unhex(v["ek"]), unhex(v["kemCt"]))


def secret_of(v: Out, suite: int) -> bn.SecretKey:
    return bn.SecretKey(suite, bytes.fromhex(v["x"]), unhex(v["kem"]))


def draws_of(v: Out) -> tm.SeededDraws:
    return tm.SeededDraws(bytes.fromhex(v["seed"]))


# --- operations --------------------------------------------------------------------------------

OPS: dict[str, Callable[[Out, Trace], Out]] = {}


def op(name: str) -> Callable[[Callable[[Out, Trace], Out]], Callable[[Out, Trace], Out]]:
    def register(f: Callable[[Out, Trace], Out]) -> Callable[[Out, Trace], Out]:
        OPS[name] = f
        return f
    return register


@op("encoding.decode")
def _(a: Out, t: Trace) -> Out:
    return {"value": to_json(enc.decode(bytes.fromhex(a["bytes"]), a["profile"]))}


@op("encoding.encode")
def _(a: Out, t: Trace) -> Out:
    v = from_json(a["value"])
    return {"bytes": (enc.encode_payload(v) if a["profile"] == "payload" else enc.C(v)).hex()}


@op("suite.draw")
def _(a: Out, t: Trace) -> Out:
    info = tm.draw_info(a["name"], a["i"])
    t.append(("info", info))
    draws = draws_of(a)
    draws.counts[a["name"]] = a["i"]
    return {"bytes": draws.draw(a["name"], a["length"]).hex()}


@op("suite.dh")
def _(a: Out, t: Trace) -> Out:
    remote = bytes.fromhex(a["remote"])
    st.check_x25519(remote)
    return {"shared": st.x25519(bytes.fromhex(a["secret"]), remote).hex()}


@op("suite.hkdf")
def _(a: Out, t: Trace) -> Out:
    salt, ikm, info = (bytes.fromhex(a[k]) for k in ("salt", "ikm", "info"))
    prk = st.hkdf_extract(salt, ikm)
    t.append(("prk", prk))
    return {"okm": st.hkdf_expand(prk, info, a["length"]).hex()}


@op("suite.sign")
def _(a: Out, t: Trace) -> Out:
    return {"signature": st.sign(bytes.fromhex(a["seed"]), bytes.fromhex(a["message"])).hex()}


@op("suite.verify")
def _(a: Out, t: Trace) -> Out:
    key, message = bytes.fromhex(a["key"]), bytes.fromhex(a["message"])
    st.check_ed25519(key)
    if not st.verify(key, message, bytes.fromhex(a["signature"])):
        raise MeshError("bundle/signature")
    return {"digest": st.H(key + message + bytes.fromhex(a["signature"])).hex()}


@op("suite.seal")
def _(a: Out, t: Trace) -> Out:
    key, nonce, aad, plaintext = (bytes.fromhex(a[k]) for k in ("key", "nonce", "aad", "plaintext"))
    return {"ct": st.aead_seal(key, nonce, plaintext, aad).hex()}


@op("suite.open")
def _(a: Out, t: Trace) -> Out:
    key, nonce, aad, ct = (bytes.fromhex(a[k]) for k in ("key", "nonce", "aad", "ct"))
    return {"plaintext": st.aead_open(key, nonce, ct, aad).hex()}


@op("suite.encaps")
def _(a: Out, t: Trace) -> Out:
    ek = bytes.fromhex(a["ek"])
    st.check_kem(ek)
    ct, ss = st.encaps(ek, bytes.fromhex(a["m"]))
    return {"ct": ct.hex(), "ss": ss.hex()}


@op("suite.decaps")
def _(a: Out, t: Trace) -> Out:
    return {"ss": st.decaps(bytes.fromhex(a["seed"]), bytes.fromhex(a["ct"])).hex()}


@op("identity.create")
def _(a: Out, t: Trace) -> Out:
    i = idn.create(a["name"], draws_of(a))
    return {"ik": i.ik.hex(), "dk": i.dk.hex(), "fingerprint": idn.fingerprint(i.ik)}


@op("identity.fingerprint")
def _(a: Out, t: Trace) -> Out:
    ik = bytes.fromhex(a["ik"])
    st.check_ed25519(ik)
    return {"fingerprint": idn.fingerprint(ik)}


@op("identity.address")
def _(a: Out, t: Trace) -> Out:
    ik = bytes.fromhex(a["ik"])
    name = idn.match_address(a["address"], ik)
    return {"digest": st.H(idn.line(name, ik).encode()).hex()}


@op("identity.safety")
def _(a: Out, t: Trace) -> Out:
    return {"safety": idn.safety_number(peer_of(a["a"]), peer_of(a["b"]))}


@op("bundle.accept")
def _(a: Out, t: Trace) -> Out:
    c = a["context"]
    known = bn.Known(c["known"]["seq"], unhex(c["known"].get("ref"))) if c.get("known") else None
    b = bn.accept(bytes.fromhex(a["bytes"]), c["now"], c.get("name"), c.get("fingerprint"),
                  unhex(c.get("pinned")), known)
    t.append(("bundle-ref", b.ref))
    return {"ref": b.ref.hex(), "fingerprint": idn.fingerprint(b.ik), "digest": st.H(b.raw).hex(), "seq": b.seq,
            "suites": [p.suite for p in b.prekeys]}


@op("bundle.create")
def _(a: Out, t: Trace) -> Out:
    raw, secrets = bn.create(identity_of(a["identity"]), draws_of(a), a["seq"], a["now"], a["suites"],
                             a.get("flags", 0), a.get("lifetime", bn.MAX_BUNDLE_LIFETIME))
    return {"bundle": raw.hex(), "ref": bn.read_bundle(raw).ref.hex(),
            "prekeys": [{"suite": s.suite, "x": s.x_secret.hex(), "kem": s.kd.hex() if s.kd else None}
                        for s in secrets]}


@op("bundle.createOneTime")
def _(a: Out, t: Trace) -> Out:
    raw, s = bn.create_one_time(identity_of(a["identity"]), draws_of(a), a["suite"], a["now"])
    return {"key": raw.hex(), "ref": bn.read_one_time(raw).ref.hex(), "x": s.x_secret.hex(),
            "kem": s.kd.hex() if s.kd else None}


@op("bundle.card")
def _(a: Out, t: Trace) -> Out:
    return {"card": bn.write_card(bytes.fromhex(a["bundle"]))}


@op("bundle.readCard")
def _(a: Out, t: Trace) -> Out:
    return {"bundle": bn.read_card(a["card"]).hex()}


@op("bundle.acceptOneTime")
def _(a: Out, t: Trace) -> Out:
    b = bn.read_bundle(bytes.fromhex(a["bundle"]))
    k = bn.accept_one_time(bytes.fromhex(a["key"]), b, a["suite"], a["now"])
    return {"ref": k.ref.hex(), "notAfter": k.not_after}


@op("keyschedule.expand")
def _(a: Out, t: Trace) -> Out:
    context = [from_json(v) if isinstance(v, list) else bytes.fromhex(v) for v in a["context"]]
    t.append(("info", ks.ex_info(a["suite"], a["purpose"], *context)))
    return {"okm": ks.Ex(bytes.fromhex(a["secret"]), a["suite"], a["purpose"], *context, length=a["length"]).hex()}


@op("handshake.derive")
def _(a: Out, t: Trace) -> Out:
    init = list(env.read_init(enc.decode(bytes.fromhex(a["init"]))))
    th = ks.transcript_hash(init, a["responder"]["name"], bytes.fromhex(a["responder"]["ik"]))
    rk = ks.root(th, init[0], [bytes.fromhex(d) for d in a["dh"]], unhex(a.get("ss")), t)
    return {"th": th.hex(), "sid": th[:16].hex(), "rk": rk.hex()}


@op("keyschedule.ratchet")
def _(a: Out, t: Trace) -> Out:
    block = block_of(a["block"])
    y = ks.PublicKeys(bytes.fromhex(a["answered"]["x"]), unhex(a["answered"]["ek"]))
    rk, ck = ks.step(a["suite"], bytes.fromhex(a["th"]), bytes.fromhex(a["rk"]), bytes.fromhex(a["secret"]), block, y)
    t += [("block-hash", ks.block_hash(block)), ("peer-key-hash", ks.peer_key_hash(y)), ("okm", rk + ck)]
    return {"rk": rk.hex(), "ck": ck.hex()}


@op("keyschedule.message")
def _(a: Out, t: Trace) -> Out:
    suite, ck = a["suite"], bytes.fromhex(a["ck"])
    for _ in range(a["n"]):
        ck = ks.next_chain_key(suite, ck)
    mk = ks.message_key(suite, ck)
    key, nonce = ks.seal_key(suite, bytes.fromhex(a["th"]), mk, bytes.fromhex(a["guard"]))
    t += [("ck", ck), ("mk", mk), ("key", key), ("nonce", nonce)]
    return {"mk": mk.hex(), "ck": ks.next_chain_key(suite, ck).hex(), "sealKey": (key + nonce).hex()}


@op("keyschedule.exchange")
def _(a: Out, t: Trace) -> Out:
    own = secret_of(a["own"], 1 if a["own"]["kem"] is None else 2)
    return {"secret": ks.recv_exchange(own, block_of(a["block"]), t).hex()}


@op("handshake.initiate")
def _(a: Out, t: Trace) -> Out:
    b = bn.accept(bytes.fromhex(a["bundle"]), a["now"])
    i = hs.initiate(identity_of(a["identity"]), b, unhex(a["oneTime"]), a["suites"], a["remembered"],
                    draws_of(a), a["now"], trace=t)
    return {"suite": i.suite, "init": enc.C(i.init).hex(), "th": i.th.hex(), "sid": i.th[:16].hex(),
            "rk": i.rk0.hex()}


@op("handshake.respond")
def _(a: Out, t: Trace) -> Out:
    own = identity_of(a["identity"])
    bundles = [hs.LiveBundle(bn.read_bundle(bytes.fromhex(v["bundle"])),
                             {p["suite"]: secret_of(p, p["suite"]) for p in v["prekeys"]},
                             bytes.fromhex(v.get("dkSecret", own.dk_secret.hex()))) for v in a["bundles"]]
    if bundles:
        bundles[0].replay_cache.update(bytes.fromhex(x) for x in a["replayed"])
    one_times = []
    for v in a["oneTimes"]:
        key = bn.read_one_time(bytes.fromhex(v["key"]))
        one_times.append(hs.LiveOneTime(key, secret_of(v, key.suite)))
    sids = [bytes.fromhex(x) for x in a["sids"]]
    responder = hs.Responder(
        own, bundles, one_times, a["suites"], lambda p: a["remembered"], lambda th: None,
        lambda sid: sid in sids, lambda name: unhex(a["pins"].get(name)),
        lambda p: a.get("trusted", True), lambda p: a.get("room", True))
    envelope = env.read_envelope(bytes.fromhex(a["envelope"]))
    if envelope.header.init is None:
        raise MeshError("session/unknown")
    r = hs.respond(responder, envelope, a["now"], st.SystemDraws(), from_name=a.get("from"), trace=t)
    return {"th": r.session.state.th.hex(), "sid": r.session.sid.hex(), "rk": r.rk0.hex(),
            "contents": [c.hex() for c in r.contents]}


@op("envelope.open")
def _(a: Out, t: Trace) -> Out:
    e = env.read_envelope(bytes.fromhex(a["envelope"]))
    contents = env.open_with(a["suite"], bytes.fromhex(a["th"]), bytes.fromhex(a["mk"]), e,
                             peer_of(a["sender"]), a["recipient"], t)
    inner = enc.decode(next(v for n, v in t if n == "inner"))
    return {"contents": [c.hex() for c in contents], "sid": e.header.sid.hex(), "sig": inner[1].hex()}


@op("envelope.seal")
def _(a: Out, t: Trace) -> Out:
    init = None if a["init"] is None else env.read_init(enc.decode(bytes.fromhex(a["init"])))
    sealed = env.seal(a["suite"], bytes.fromhex(a["th"]), a["sender"]["name"], bytes.fromhex(a["sender"]["ikSecret"]),
                      a["recipient"], bytes.fromhex(a["mk"]), bytes.fromhex(a["guard"]), block_of(a["block"]),
                      a["pn"], a["n"], init, [bytes.fromhex(c) for c in a["contents"]], t)
    return {"envelope": sealed.hex()}


@op("envelope.pad")
def _(a: Out, t: Trace) -> Out:
    padded = env.pad(bytes(a["length"]))
    return {"padded": len(padded), "filler": padded[a["length"]:][:4].hex()}


@op("envelope.unpad")
def _(a: Out, t: Trace) -> Out:
    return {"length": len(env.unpad(bytes.fromhex(a["padded"])))}


@op("envelope.makeContent")
def _(a: Out, t: Trace) -> Out:
    return {"content": env.encode_content(a["kind"], bytes.fromhex(a["id"]), a["sentMs"], unhex(a["re"]), a["ask"],
                                          bytes.fromhex(a["body"])).hex()}


@op("envelope.content")
def _(a: Out, t: Trace) -> Out:
    raw = bytes.fromhex(a["content"])
    c = env.read_content(raw)
    if c.kind == env.APPLICATION:
        try:
            enc.decode_payload(c.body)
        except MeshError as e:
            raise MeshError("agent/payload", str(e)) from e
    return {"kind": c.kind, "sentMs": c.sent_ms, "ask": c.ask, "digest": st.H(raw).hex(),
            "statuses": [s for _, s in c.receipts]}


@op("envelope.proof")
def _(a: Out, t: Trace) -> Out:
    th, sender, header = bytes.fromhex(a["th"]), peer_of(a["sender"]), bytes.fromhex(a["header"])
    hashes = [bytes.fromhex(h) for h in a["hashes"]]
    own = env.verify_proof(a["suite"], th, sender, a["recipient"], header, hashes, a["index"],
                           bytes.fromhex(a["content"]), bytes.fromhex(a["sig"]))
    hashes[a["index"]] = own
    signed = env.signed_bytes(a["suite"], th, sender.name, a["recipient"], header, hashes)
    return {"contentHash": own.hex(), "digest": st.H(signed).hex()}


# --- stateful operations: the handle in an output stands for the object ------------------------

@op("session.new")
def _(a: Out, t: Trace) -> Out:
    own, peer, draws = identity_of(a["identity"]), peer_of(a["peer"]), draws_of(a)
    th, rk = bytes.fromhex(a["th"]), bytes.fromhex(a["rk"])
    if a["role"] == "initiator":
        init = env.read_init(enc.decode(bytes.fromhex(a["init"])))
        y = ks.PublicKeys(bytes.fromhex(a["remote"]["x"]), unhex(a["remote"]["ek"]))
        s = Session.initiator(own, peer, a["suite"], th, rk, init, y, draws, a.get("now", 0))
    else:
        public = ks.PublicKeys(bytes.fromhex(a["own"]["public"]["x"]), unhex(a["own"]["public"]["ek"]))
        s = Session.responder(own, peer, a["suite"], th, rk, secret_of(a["own"], a["suite"]), public, draws,
                              a.get("now", 0))
    return {"session": s, "view": s.view().hex()}


@op("session.seal")
def _(a: Out, t: Trace) -> Out:
    sealed = a["session"].seal([bytes.fromhex(c) for c in a["contents"]], t)
    return {"envelope": sealed.hex(), "view": a["session"].view().hex()}


@op("session.open")
def _(a: Out, t: Trace) -> Out:
    s: Session = a["session"]
    e = env.read_envelope(bytes.fromhex(a["envelope"]))
    if e.header.sid != s.sid or (s.state.verified is not None and s.expired(a["now"])):
        raise MeshError("session/unknown")
    contents = s.open(e, a["now"], trace=t)
    return {"contents": [c.hex() for c in contents], "view": s.view().hex()}


# --- hub ---------------------------------------------------------------------------------------

def limits_of(v: Out) -> hb.Limits:
    return hb.Limits(**{k.replace("-", "_"): n for k, n in v.items()})


def hub_secret(draws: tm.SeededDraws) -> bytes:
    return draws.draw("identity", 32)


@op("hub.decode")
def _(a: Out, t: Trace) -> Out:
    raw = bytes.fromhex(a["bytes"])
    hb.decode_frame(raw)
    return {"frameHash": hb.frame_hash(raw).hex()}


@op("hub.hello")
def _(a: Out, t: Trace) -> Out:
    return {"frame": hb.make_hello(draws_of(a), a["versions"]).hex()}


@op("hub.welcome")
def _(a: Out, t: Trace) -> Out:
    draws, hello = draws_of(a), bytes.fromhex(a["hello"])
    secret = hub_secret(draws)
    t.append(("hello-hash", hb.frame_hash(hello)))
    return {"frame": hb.make_welcome(secret, st.ed25519_public(secret), draws, hello, 1, limits_of(a["limits"])).hex()}


@op("hub.auth")
def _(a: Out, t: Trace) -> Out:
    hello, welcome = bytes.fromhex(a["hello"]), bytes.fromhex(a["welcome"])
    w = hb.check_welcome(hello, welcome, unhex(a["pinned"]))
    t.append(("welcome-hash", hb.frame_hash(welcome)))
    return {"frame": hb.make_auth(identity_of(a["identity"]), hello, w).hex()}


@op("hub.receipt")
def _(a: Out, t: Trace) -> Out:
    secret, owner = hub_secret(draws_of(a)), peer_of(a["owner"])
    return {"receipt": hb.make_receipt(secret, st.ed25519_public(secret), owner.name, owner.ik,
                                       bytes.fromhex(a["ref"]), a["seq"], a["time"]).hex()}


@op("hub.checkReceipt")
def _(a: Out, t: Trace) -> Out:
    raw = bytes.fromhex(a["receipt"])
    hb.check_receipt(raw, bn.read_bundle(bytes.fromhex(a["bundle"])), bytes.fromhex(a["hubIk"]), a["now"])
    return {"digest": st.H(raw).hex()}


@op("hub.compareReceipts")
def _(a: Out, t: Trace) -> Out:
    x, y = bytes.fromhex(a["a"]), bytes.fromhex(a["b"])
    return {"verdict": hb.compare_receipts(x, y, bytes.fromhex(a["hubIk"])), "digest": st.H(x + y).hex()}


@op("hub.new")
def _(a: Out, t: Trace) -> Out:
    draws = draws_of(a)
    return {"hub": Hub(draws, hub_secret(draws), limits_of(a["limits"]), a.get("maxNames"))}


@op("hub.frame")
def _(a: Out, t: Trace) -> Out:
    h: Hub = a["hub"]
    frames = h.frame(a["link"], bytes.fromhex(a["frame"]), a["now"], a.get("fail", False))
    for link, raw in frames:
        reply = enc.decode(raw, limit=hb.MAX_FRAME)
        if link == a["link"] and reply[0] == hb.ERR:
            raise MeshError(hb.error_code(reply[2]))
    return {"frames": [[link, raw.hex()] for link, raw in frames], "closed": sorted(h.closed)}


@op("hub.close")
def _(a: Out, t: Trace) -> Out:
    a["hub"].close(a["link"])
    return {}


@op("hub.restart")
def _(a: Out, t: Trace) -> Out:
    a["hub"].restart()
    return {}


# --- agent without a hub -----------------------------------------------------------------------

@op("agent.import")
def _(a: Out, t: Trace) -> Out:
    s = ag.import_state(bytes.fromhex(a["bytes"]), unhex(a.get("key")), a.get("passphrase"))
    return {"name": s.identity.name, "fingerprint": idn.fingerprint(s.identity.ik), "seq": s.seq,
            "peers": [f"{p.name} {ag.TRUST_NAMES[p.trust]} {p.suite}" for p in s.peers]}


def policy_of(a: Out) -> ag.Policy:
    v = a.get("trust", {})
    unknown = set(v) - {"accept", "send", "maxAge"}
    if unknown:
        raise Skip(f"trust {unknown}")
    return ag.Policy(v.get("accept", "first-use"), v.get("send", "first-use"), v.get("maxAge"))


def agent_out(agent: ag.Agent, bundle: bytes) -> Out:
    return {"agent": agent, "bundle": bundle.hex(), "fingerprint": idn.fingerprint(agent.identity.ik)}


@op("agent.new")
def _(a: Out, t: Trace) -> Out:
    draws = draws_of(a)
    options = {"suites": tuple(a.get("suites", [1, 2])), "policy": policy_of(a),
               "require_one_time": a.get("requireOneTime", False)}
    if "file" in a:
        state = ag.import_state(bytes.fromhex(a["file"]), unhex(a.get("key")), a.get("passphrase"))
        agent = ag.Agent.restore_export(state, draws, a["now"], **options)
    else:
        agent = ag.Agent(idn.create(a["name"], draws), draws, a["now"], **options)
    return agent_out(agent, agent.publish())


@op("agent.trust")
def _(a: Out, t: Trace) -> Out:
    agent: ag.Agent = a["agent"]
    peer = agent.connect(bytes.fromhex(a["bundle"]), a.get("fingerprint"))
    return {"trust": ag.TRUST_NAMES[agent.store.pins[peer.name].trust], "fingerprint": idn.fingerprint(peer.ik)}


@op("agent.send")
def _(a: Out, t: Trace) -> Out:
    envelope, content_id = a["agent"].seal(a["to"], bytes.fromhex(a["body"]), unhex(a.get("re")))
    return {"envelope": envelope.hex(), "id": content_id.hex()}


@op("agent.receive")
def _(a: Out, t: Trace) -> Out:
    r = a["agent"].open(bytes.fromhex(a["envelope"]), a.get("from"))
    if r.refused and not r.contents:
        raise MeshError(r.refused[0])
    return {"sender": {"name": r.sender.name, "fingerprint": idn.fingerprint(r.sender.ik),
                       "trust": ag.TRUST_NAMES[r.trust]},
            "contents": [{"id": c.id.hex(), "body": c.body.hex()} for c in r.contents],
            "receipts": [{"id": i.hex(), "status": s} for i, s in r.receipts], "refused": r.refused}


@op("agent.verify")
def _(a: Out, t: Trace) -> Out:
    return {"trust": ag.TRUST_NAMES[a["agent"].verify(a["address"])]}


@op("agent.forget")
def _(a: Out, t: Trace) -> Out:
    return {"forgotten": a["agent"].forget(a["name"])}


@op("agent.clock")
def _(a: Out, t: Trace) -> Out:
    a["agent"].now = a["now"]
    return {"moved": True}


@op("agent.export")
def _(a: Out, t: Trace) -> Out:
    return {"bytes": a["agent"].export(unhex(a.get("key")), a.get("passphrase")).hex()}


@op("agent.snapshot")
def _(a: Out, t: Trace) -> Out:
    return {"handle": copy.deepcopy(a["agent"])}


@op("agent.restore")
def _(a: Out, t: Trace) -> Out:
    agent: ag.Agent = copy.deepcopy(a["snapshot"])
    agent.draws, agent.now = draws_of(a), a["now"]
    for sessions in agent.store.sessions.values():
        for s in sessions:
            s.draws = agent.draws
    if "trust" in a:
        agent.policy = policy_of(a)
    return agent_out(agent, agent.store.bundles[-1].bundle.raw)


# --- cases -------------------------------------------------------------------------------------

def resolve(v: Any, names: Out) -> Any:
    """"$name" is the handle in the output called name, "$name.path.0" a part of it."""
    if isinstance(v, str) and v.startswith("$"):
        name, *path = v[1:].split(".")
        value = names[name]
        if not path:
            return next((value[k] for k in ("session", "hub", "agent", "handle") if k in value), value)
        for p in path:
            value = value[int(p)] if isinstance(value, list) else value[p]
        return value
    if isinstance(v, dict):
        return {k: resolve(x, names) for k, x in v.items()}
    if isinstance(v, list):
        return [resolve(x, names) for x in v]
    return v


def run(name: str, args: Out, trace: Trace) -> tuple[str, Out]:
    if name not in OPS:
        raise Skip(f"operation {name}")
    try:
        return "ok", OPS[name](args, trace)
    except MeshError as e:
        return e.code, {}


def compare(expect: str, output: Any, trace: Any, code: str, got: Out, own_trace: Trace) -> str | None:
    if code != expect:
        return f"expected {expect}, got {code}"
    if output is not None and "frames" in output:
        # The order of frames on different links is nothing that an outside test can see (QUESTIONS.md).
        output = {**output, "frames": sorted(output["frames"], key=lambda f: f[0])}
        got = {**got, "frames": sorted(got.get("frames", []), key=lambda f: f[0])}
    if output is not None and not matches(output, got):
        wrong = [k for k, v in output.items() if not matches(v, got.get(k))]
        return "output differs: " + ", ".join(f"{k}: {str(output[k])[:80]} / {str(got.get(k))[:80]}" for k in wrong)
    if trace:
        mine = [(n, v.hex()) for n, v in own_trace]
        i = 0
        for n, v in trace:
            v = bulk(v)
            while i < len(mine) and mine[i][0] != n:
                i += 1
            if i == len(mine) or not matches(v, mine[i][1]):
                present = [m for m in mine if m[0] == n]
                return f"trace {n}: {str(v)[:40]} / {str(present)[:120]}"
            i += 1
    return None


def run_case(c: Out) -> str | None:
    if "steps" not in c:
        trace: Trace = []
        code, got = run(c["op"], bulk(c["input"]), trace)
        return compare(c["expect"], c.get("output"), c.get("trace"), code, got, trace)
    names: Out = {}
    for i, s in enumerate(c["steps"]):
        args = resolve(bulk(s.get("args", {})), names)
        if s.get("mutation", {}).get("level") == "bytes":
            args = apply_bytes_to_handles(args, s["mutation"])
        objects = [v for v in args.values() if hasattr(v, "digest")]
        before = [o.digest() for o in objects]
        trace = []
        code, got = "ok", {}
        for _ in range(s.get("times", 1)):
            trace = []
            code, got = run(s["op"], args, trace)
        error = compare(s.get("expect", "ok"), s.get("output"), s.get("trace"), code, got, trace)
        if error is None and s.get("state") == "unchanged" and [o.digest() for o in objects] != before:
            error = "state changed"
        if error is not None:
            return f"step {i} {s['op']}: {error}"
        if "as" in s:
            names[s["as"]] = got
    return None


def apply_bytes_to_handles(args: Out, m: Out) -> Out:
    """Like apply_bytes, but leaves objects (handles) as they are."""
    first = m["field"].split(".")[0]
    changed = apply_bytes({first: args[first]}, m)
    return {**args, **changed}


def main(argv: list[str]) -> int:
    verbose = "-v" in argv
    files: list[Path] = []
    for a in argv:
        if a != "-v":
            p = Path(a)
            files += sorted(p.glob("*.json")) if p.is_dir() else [p]
    totals = [0, 0, 0]
    for path in files:
        counts = [0, 0, 0]
        skipped: dict[str, int] = {}
        results: dict[str, bool] = {}
        started = time.monotonic()
        for c in json.loads(path.read_text())["cases"]:
            try:
                error = run_case(c)
            except Skip as e:
                counts[2] += 1
                skipped[str(e)] = skipped.get(str(e), 0) + 1
                continue
            except Exception as e:  # a defect of this peer is a failure, not an end
                if verbose:
                    raise
                error = f"{type(e).__name__}: {e}"
            if error is None and "twin" in c and results.get(c["twin"]) is False:
                error = f"twin {c['twin']} failed"
            results[c["id"]] = error is None
            counts[0 if error is None else 1] += 1
            if error is not None:
                print(f"FAIL {c['id']} ({c['title']}): {error}")
        for why, n in skipped.items():
            print(f"skipped in {path.name}: {n} x {why}")
        print(f"{path.stem}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped"
              f" ({time.monotonic() - started:.1f} s)")
        totals = [x + y for x, y in zip(totals, counts)]
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
