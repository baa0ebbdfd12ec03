"""Operations of §3, §4, §5 and §7."""

from __future__ import annotations

from agentmesh import encoding as enc
from agentmesh import identity as idn
from agentmesh import keyschedule as ks
from agentmesh import suite as st
from agentmesh import testmode as tm
from agentmesh.errors import MeshError

from .core import Out, Trace, op
from .values import block_of, draws_of, exchange_of, from_json, peer_of, secret_of, to_json


@op("encoding.decode")
def encoding_decode(a: Out, t: Trace) -> Out:
    return {
        "value": to_json(
            enc.decode(bytes.fromhex(a["bytes"]), a["profile"], a.get("limit", enc.MAX_OBJECT))
        )
    }


@op("encoding.encode")
def encoding_encode(a: Out, t: Trace) -> Out:
    v = from_json(a["value"])
    return {"bytes": (enc.encode_payload(v) if a["profile"] == "payload" else enc.C(v)).hex()}


@op("suite.draw")
def suite_draw(a: Out, t: Trace) -> Out:
    info = tm.draw_info(a["name"], a["i"])
    t.append(("info", info))
    draws = draws_of(a)
    draws.counts[a["name"]] = a["i"]
    return {"bytes": draws.draw(a["name"], a["length"]).hex()}


@op("suite.dh")
def suite_dh(a: Out, t: Trace) -> Out:
    remote = bytes.fromhex(a["remote"])
    st.check_x25519(remote)
    return {"shared": st.x25519(bytes.fromhex(a["secret"]), remote).hex()}


@op("suite.hkdf")
def suite_hkdf(a: Out, t: Trace) -> Out:
    salt, ikm, info = (bytes.fromhex(a[k]) for k in ("salt", "ikm", "info"))
    prk = st.hkdf_extract(salt, ikm)
    t.append(("prk", prk))
    return {"okm": st.hkdf_expand(prk, info, a["length"]).hex()}


@op("suite.sign")
def suite_sign(a: Out, t: Trace) -> Out:
    return {"signature": st.sign(bytes.fromhex(a["seed"]), bytes.fromhex(a["message"])).hex()}


@op("suite.verify")
def suite_verify(a: Out, t: Trace) -> Out:
    key, message = bytes.fromhex(a["key"]), bytes.fromhex(a["message"])
    st.check_ed25519(key)
    signature = bytes.fromhex(a["signature"])
    good = st.verify(key, message, signature)
    if good != st.verify_slowly(key, message, signature):
        raise RuntimeError("two verifications of Ed25519 differ")
    if not good:
        raise MeshError("bundle/signature")
    return {"digest": st.H(key + message + signature).hex()}


@op("suite.seal")
def suite_seal(a: Out, t: Trace) -> Out:
    key, nonce, aad, plaintext = (bytes.fromhex(a[k]) for k in ("key", "nonce", "aad", "plaintext"))
    return {"ct": st.aead_seal(key, nonce, plaintext, aad).hex()}


@op("suite.open")
def suite_open(a: Out, t: Trace) -> Out:
    key, nonce, aad, ct = (bytes.fromhex(a[k]) for k in ("key", "nonce", "aad", "ct"))
    return {"plaintext": st.aead_open(key, nonce, ct, aad).hex()}


@op("suite.encaps")
def suite_encaps(a: Out, t: Trace) -> Out:
    ek = bytes.fromhex(a["ek"])
    st.check_kem(ek)
    ct, ss = st.encaps(ek, bytes.fromhex(a["m"]))
    return {"ct": ct.hex(), "ss": ss.hex()}


@op("suite.decaps")
def suite_decaps(a: Out, t: Trace) -> Out:
    return {"ss": st.decaps(bytes.fromhex(a["seed"]), bytes.fromhex(a["ct"])).hex()}


@op("identity.create")
def identity_create(a: Out, t: Trace) -> Out:
    i = idn.create(a["name"], draws_of(a))
    return {"ik": i.ik.hex(), "dk": i.dk.hex(), "fingerprint": idn.fingerprint(i.ik)}


@op("identity.fingerprint")
def identity_fingerprint(a: Out, t: Trace) -> Out:
    ik = bytes.fromhex(a["ik"])
    st.check_ed25519(ik)
    return {"fingerprint": idn.fingerprint(ik)}


@op("identity.address")
def identity_address(a: Out, t: Trace) -> Out:
    ik = bytes.fromhex(a["ik"])
    name = idn.match_address(a["address"], ik)
    return {"digest": st.H(idn.line(name, ik).encode()).hex()}


@op("identity.safety")
def identity_safety(a: Out, t: Trace) -> Out:
    return {"safety": idn.safety_number(peer_of(a["a"]), peer_of(a["b"]))}


@op("keyschedule.expand")
def keyschedule_expand(a: Out, t: Trace) -> Out:
    context = [from_json(v) if isinstance(v, list) else bytes.fromhex(v) for v in a["context"]]
    t.append(("info", ks.ex_info(a["suite"], a["purpose"], *context)))
    return {
        "okm": ks.Ex(
            bytes.fromhex(a["secret"]), a["suite"], a["purpose"], *context, length=a["length"]
        ).hex()
    }


@op("keyschedule.ratchet")
def keyschedule_ratchet(a: Out, t: Trace) -> Out:
    block = block_of(a["block"])
    y = exchange_of(a["answered"])
    rk, ck = ks.step(
        a["suite"],
        bytes.fromhex(a["th"]),
        bytes.fromhex(a["rk"]),
        bytes.fromhex(a["secret"]),
        block,
        y,
    )
    t += [
        ("block-hash", ks.block_hash(block)),
        ("peer-key-hash", ks.peer_key_hash(y)),
        ("okm", rk + ck),
    ]
    return {"rk": rk.hex(), "ck": ck.hex()}


@op("keyschedule.message")
def keyschedule_message(a: Out, t: Trace) -> Out:
    suite, ck = a["suite"], bytes.fromhex(a["ck"])
    for _ in range(a["n"]):
        ck = ks.next_chain_key(suite, ck)
    mk = ks.message_key(suite, ck)
    key, nonce = ks.seal_key(suite, bytes.fromhex(a["th"]), mk, bytes.fromhex(a["guard"]))
    t += [("ck", ck), ("mk", mk), ("key", key), ("nonce", nonce)]
    return {
        "mk": mk.hex(),
        "ck": ks.next_chain_key(suite, ck).hex(),
        "sealKey": (key + nonce).hex(),
    }


@op("keyschedule.exchange")
def keyschedule_exchange(a: Out, t: Trace) -> Out:
    own = secret_of(a["own"], 1 if a["own"]["kem"] is None else 2)
    return {"secret": ks.recv_exchange(own, block_of(a["block"]), t).hex()}
