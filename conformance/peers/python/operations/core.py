"""The registry of operations (conformance/DRIVER.md) and the table of handles."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from agentmesh.errors import MeshError

Out = dict[str, Any]
Trace = list[tuple[str, bytes]]
Operation = Callable[[Out, Trace], Out]
T = TypeVar("T")
ON_DROP: list[Callable[[Any], object]] = []

OPS: dict[str, Operation] = {}


def op(name: str) -> Callable[[Operation], Operation]:
    """Registers an operation: (arguments, trace to append to) -> results."""

    def register(f: Operation) -> Operation:
        OPS[name] = f
        return f

    return register


class Handles:
    """Objects of tier 2 and 3 by the text that stands for them."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.count = 0

    def add(self, thing: Any) -> str:
        self.count += 1
        name = f"h{self.count}"
        self.objects[name] = thing
        return name

    def get(self, name: str, kind: type[T]) -> T:
        thing = self.objects[name]
        if not isinstance(thing, kind):
            raise TypeError(f"{name} is no {kind.__name__}")
        return thing


HANDLES = Handles()
LOCK = threading.RLock()  # held by every operation, and by the threads of live agents


def call(name: str, args: Out) -> Out:
    """One of {"ok"}, {"reject"}, {"unsupported"}, {"fault"}."""
    operation = OPS.get(name)
    if operation is None:
        return {"unsupported": {"reason": f"no operation {name}"}}
    trace: Trace = []
    try:
        with LOCK:
            result = operation(args, trace)
    except MeshError as e:
        return {"reject": {"code": e.code}}
    except Exception as e:  # a defect of this peer; it must not look like a refusal
        return {"fault": {"message": f"{type(e).__name__}: {e}"}}
    if args.get("trace") is True:
        result = {**result, "trace": [[name, value.hex()] for name, value in trace]}
    return {"ok": result}


@op("drop")
def drop(a: Out, t: Trace) -> Out:
    thing = HANDLES.objects.pop(a["handle"], None)
    for f in ON_DROP:
        f(thing)
    return {}
