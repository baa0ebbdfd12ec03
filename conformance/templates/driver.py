"""A driver for an implementation of AgentMesh in Python: three operations of tier 0. Replace their
bodies by calls of yours, and add operations one by one. Needs: pip install cryptography cbor2
    npx -p agentmesh agentmesh-conformance run --driver "python3 driver.py"
"""
import hashlib
import json
import sys

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
unhex, SHA256 = bytes.fromhex, hashes.SHA256()


class Reject(Exception): pass  # its text is a code of SPEC section 13


def dh(a):
    if int.from_bytes(unhex(a["remote"]), "little") >= 2**255 - 19:  # SUITE-8
        raise Reject("suite/bad-key")
    own = X25519PrivateKey.from_private_bytes(unhex(a["secret"]))
    try:
        return {"shared": own.exchange(X25519PublicKey.from_public_bytes(unhex(a["remote"]))).hex()}
    except ValueError:  # all zero: SUITE-12
        raise Reject("suite/bad-key") from None


def aead_open(a):
    try:
        opened = AESGCM(unhex(a["key"])).decrypt(unhex(a["nonce"]), unhex(a["ct"]), unhex(a["aad"]))
    except (InvalidTag, ValueError):
        raise Reject("envelope/open") from None
    return {"plaintext": opened.hex()}


def draw(a):
    info = cbor2.dumps(["AgentMesh/1 test", a["name"], a["i"]])
    return {"bytes": HKDFExpand(SHA256, a["length"], info).derive(unhex(a["seed"])).hex()}


OPERATIONS = {"suite.dh": dh, "suite.open": aead_open, "suite.draw": draw}
HELLO = {"driver": 1, "spec": "AgentMesh/1", "impl": {"name": "my-agentmesh"}, "roles": ["agent"],
         "tier": 0, "suites": [1], "caps": [], "ops": list(OPERATIONS)}
for text in sys.stdin.buffer:
    op, args = (request := json.loads(text))["op"], request.get("args", {})
    try:
        if op == "hello":
            reply = {"ok": HELLO}
        elif op in OPERATIONS:
            reply = {"ok": OPERATIONS[op](args)}
        else:
            reply = {"unsupported": {"reason": f"no {op}"}}
    except Reject as refused:
        reply = {"reject": {"code": str(refused)}}
    except Exception as error:
        reply = {"fault": {"message": repr(error)}}
    print(json.dumps({"id": request["id"], **reply}), flush=True)
