"""Operations of tier 3: an agent at a hub over TCP."""

from __future__ import annotations

import time
from typing import Any

from agentmesh import agent as ag
from agentmesh import identity as idn
from agentmesh.client import Client
from agentmesh.delivery import Courier
from agentmesh.errors import MeshError
from agentmesh.store import Entry, Pin

from .agents import ON_CLOCK, agent_of
from .core import HANDLES, LOCK, ON_DROP, Out, Trace, op
from .values import unhex

CONNECT_SECONDS = SUBMIT_SECONDS = 60.0
STATES = {1: "delivered", 2: "processed", 3: "failed"}
CLIENTS: dict[int, Client] = {}  # by the id of the Courier, which its handle stands for


class Clock:
    """Runs from where the agent's clock stands, at the speed of real time."""

    def __init__(self, ms: int) -> None:
        self.ahead = ms - time.monotonic_ns() // 1_000_000

    def __call__(self) -> int:
        return self.ahead + time.monotonic_ns() // 1_000_000

    def set(self, ms: int) -> None:
        self.ahead = ms - time.monotonic_ns() // 1_000_000


def client_of(a: Out) -> Client:
    client = CLIENTS.get(id(agent_of(a)))
    if client is None:
        raise MeshError("agent/no-hub")
    return client


def same_agent(agent: ag.Agent, kind: type[ag.Agent], **options: Any) -> ag.Agent:
    """An agent of another kind with the same store, as after the end of a process."""
    other = kind(
        agent.identity,
        agent.draws,
        agent.now,
        agent.suites,
        agent.policy,
        bool(agent.flags),
        **options,
    )
    other.store, other.events, other.now_ms = agent.store, agent.events, agent.now_ms
    return other


@op("agent.connect")
def agent_connect(a: Out, t: Trace) -> Out:
    leave(agent_of(a))
    core = same_agent(agent_of(a), Courier, hub_fingerprint=a.get("hubFingerprint"))
    assert isinstance(core, Courier)
    client = Client(core, a["host"], a["port"], Clock(core.now_ms), LOCK)
    HANDLES.objects[a["agent"]] = core
    CLIENTS[id(core)] = client
    client.start()

    def first() -> str | None:
        return "" if client.counts is not None else client.last_code

    code = client.wait(first, CONNECT_SECONDS)
    if code:
        client.events = [e for e in client.events if e != ("lost", code)]  # told here
        raise MeshError(code)
    assert client.counts is not None
    return {"mail": client.counts[0]}


def leave(thing: Any) -> Client | None:
    """Ends the link of a live agent."""
    client = CLIENTS.pop(id(thing), None)
    if client is not None:
        client.close()
    return client


ON_DROP.append(leave)


def clock_moved(agent: ag.Agent) -> None:
    """What became due is done at once."""
    client = CLIENTS.get(id(agent))
    if client is not None:
        assert isinstance(client.clock, Clock)
        client.clock.set(agent.now_ms)
        try:
            client.do(client.core.tick)
        except MeshError:
            pass  # the link is lost by the new time: the thread finds it so


ON_CLOCK.append(clock_moved)


@op("agent.disconnect")
def agent_disconnect(a: Out, t: Trace) -> Out:
    core = agent_of(a)
    client = leave(core)
    if client is not None:
        core.now_ms = client.clock()
        core.events = client.events
        HANDLES.objects[a["agent"]] = same_agent(core, ag.Agent)
    return {"disconnected": True}


@op("agent.submit")
def agent_submit(a: Out, t: Trace) -> Out:
    content_id = client_of(a).send(
        a["to"], bytes.fromhex(a["body"]), unhex(a.get("re")), a.get("ask", 0), SUBMIT_SECONDS
    )
    return {"id": content_id.hex()}


def told(events: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    lists: dict[str, list[Any]] = {
        "messages": [],
        "receipts": [],
        "undelivered": [],
        "refused": [],
        "problems": [],
        "changed": [],
        "lost": [],
    }
    for kind, what in events:
        if kind == "receipt":
            name, content_id, status = what
            lists["receipts"].append({"id": content_id.hex(), "to": name, "state": STATES[status]})
        elif kind == "agent/undelivered":
            lists["undelivered"].append({"id": what[1].hex(), "to": what[0]})
        elif kind == "identity/changed":
            lists["changed"].append(what.name)
        else:
            lists[{"refused": "refused", "problem": "problems", "lost": "lost"}[kind]].append(what)
    return lists


def message(e: Entry, pin: Pin | None) -> Out:
    trust = ag.TRUST_NAMES[pin.trust if pin is not None else 0]
    return {
        "id": e.id.hex(),
        "from": e.name,
        "fingerprint": idn.fingerprint(e.ik),
        "trust": trust,
        "body": e.body.hex(),
        "re": e.re.hex() if e.re is not None else None,
    }


@op("agent.poll")
def agent_poll(a: Out, t: Trace) -> Out:
    client = client_of(a)
    handles = a.get("handle", True)
    try:
        client.wait(
            lambda: True if client.events or (handles and client.core.store.inbox) else None,
            a["wait"] / 1000,
        )
    except MeshError as e:
        if e.code != "agent/timeout":
            raise
    pending = client.core.pending() if handles else []
    for n, _, _ in pending:
        client.do(lambda n=n: client.core.done(n))  # type: ignore[misc]
    events, client.events = client.events, []
    lists = told(events)
    lists["messages"] = [message(entry, pin) for _, entry, pin in pending]
    return {**lists, "connected": client.core.is_ready}


@op("agent.receipts")
def agent_receipts(a: Out, t: Trace) -> Out:
    kept = [
        r
        for (name, _), rows in agent_of(a).store.directory.items()
        if name == a["name"]
        for r in rows
    ]
    return {"receipts": list(dict.fromkeys(r.hex() for r in kept))}
