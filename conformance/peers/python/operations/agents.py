"""Operations of §12, without a hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentmesh import agent as ag
from agentmesh import identity as idn
from agentmesh.errors import MeshError

from .core import HANDLES, Out, Trace, op
from .values import draws_of, unhex

ON_CLOCK: list[Callable[[ag.Agent], None]] = []  # of live agents


def policy_of(a: Out) -> ag.Policy:
    v = a.get("trust", {})
    return ag.Policy(v.get("accept", "first-use"), v.get("send", "first-use"), v.get("maxAge"))


def options_of(a: Out) -> dict[str, Any]:
    return {
        "suites": tuple(a.get("suites", [1, 2])),
        "policy": policy_of(a),
        "require_one_time": a.get("requireOneTime", False),
    }


def agent_of(a: Out) -> ag.Agent:
    return HANDLES.get(a["agent"], ag.Agent)


def created(agent: ag.Agent, bundle: bytes) -> Out:
    return {
        "handle": HANDLES.add(agent),
        "bundle": bundle.hex(),
        "fingerprint": idn.fingerprint(agent.identity.ik),
    }


@op("agent.import")
def agent_import(a: Out, t: Trace) -> Out:
    s = ag.import_state(bytes.fromhex(a["bytes"]), unhex(a.get("key")), a.get("passphrase"))
    return {
        "name": s.identity.name,
        "fingerprint": idn.fingerprint(s.identity.ik),
        "seq": s.seq,
        "peers": [f"{p.name} {ag.TRUST_NAMES[p.trust]} {p.suite}" for p in s.peers],
    }


@op("agent.new")
def agent_new(a: Out, t: Trace) -> Out:
    draws = draws_of(a)
    if "file" in a:
        state = ag.import_state(bytes.fromhex(a["file"]), unhex(a.get("key")), a.get("passphrase"))
        agent = ag.Agent(state.identity, draws, a["now"], **options_of(a))
        agent.take_import(state)
    else:
        agent = ag.Agent(idn.create(a["name"], draws), draws, a["now"], **options_of(a))
    return created(agent, agent.publish())


@op("agent.clock")
def agent_clock(a: Out, t: Trace) -> Out:
    agent = agent_of(a)
    agent.move_clock(a["now"])
    for moved in ON_CLOCK:
        moved(agent)
    return {"moved": True}


@op("agent.trust")
def agent_trust(a: Out, t: Trace) -> Out:
    agent = agent_of(a)
    peer = agent.connect(bytes.fromhex(a["bundle"]), a.get("fingerprint"))
    return {"trust": ag.TRUST_NAMES[agent.trust(peer)], "fingerprint": idn.fingerprint(peer.ik)}


@op("agent.oneTime")
def agent_one_time(a: Out, t: Trace) -> Out:
    key = agent_of(a).make_one_time(a["suite"])
    return {"key": key.raw.hex(), "ref": key.ref.hex()}


@op("agent.verify")
def agent_verify(a: Out, t: Trace) -> Out:
    return {"trust": ag.TRUST_NAMES[agent_of(a).verify(a["address"])]}


@op("agent.forget")
def agent_forget(a: Out, t: Trace) -> Out:
    agent_of(a).forget(a["name"])
    return {"forgotten": True}


@op("agent.send")
def agent_send(a: Out, t: Trace) -> Out:
    envelope, content_id = agent_of(a).seal(a["to"], bytes.fromhex(a["body"]), unhex(a.get("re")))
    return {"envelope": envelope.hex(), "id": content_id.hex()}


@op("agent.receive")
def agent_receive(a: Out, t: Trace) -> Out:
    r = agent_of(a).open(bytes.fromhex(a["envelope"]), a.get("from"))
    if r.refused and not r.contents:
        raise MeshError(r.refused[0])
    return {
        "sender": {
            "name": r.sender.name,
            "fingerprint": idn.fingerprint(r.sender.ik),
            "trust": ag.TRUST_NAMES[r.trust],
        },
        "contents": [{"id": c.id.hex(), "body": c.body.hex()} for c in r.contents],
        "receipts": [{"id": i.hex(), "status": s} for i, s in r.receipts],
        "refused": r.refused,
    }


@op("agent.export")
def agent_export(a: Out, t: Trace) -> Out:
    return {"bytes": agent_of(a).export(unhex(a.get("key")), a.get("passphrase")).hex()}


@op("agent.snapshot")
def agent_snapshot(a: Out, t: Trace) -> Out:
    agent = agent_of(a)
    return {"handle": HANDLES.add(ag.Snapshot(agent.identity, agent.store.copy()))}


@op("agent.restore")
def agent_restore(a: Out, t: Trace) -> Out:
    snapshot = HANDLES.get(a["snapshot"], ag.Snapshot)
    agent = ag.Agent(snapshot.identity, draws_of(a), a["now"], **options_of(a))
    agent.store = snapshot.store.copy()
    if agent.bundle_due():
        agent.publish()
    return created(agent, agent.newest_bundle().bundle.raw)


@op("agent.digest")
def agent_digest(a: Out, t: Trace) -> Out:
    return {"digest": agent_of(a).digest().hex()}
