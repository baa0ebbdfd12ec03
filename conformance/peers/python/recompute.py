#!/usr/bin/env python3
"""Recomputes the cases of vectors/*.json, in this process or through a driver.

    recompute.py [DIRECTORY-OR-FILE ...] [--driver COMMAND] [--list]

Without a path the vectors of this repository; exit code 0 if every case passed, else 1.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

Out = dict[str, Any]
Call = Callable[[str, Out], Out]
VECTORS = HERE.parents[2] / "vectors"
STATES = {"session": "session.digest", "agent": "agent.digest", "hub": "hub.digest"}


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


def matches(expected: Any, got: Any) -> bool:
    """The result has to hold what `expected` holds; more is allowed."""
    if isinstance(expected, dict) and set(expected) == {"sha256", "length"}:
        raw = bytes.fromhex(got) if isinstance(got, str) else b""
        digest = hashlib.sha256(raw).hexdigest()
        return len(raw) == expected["length"] and bool(digest == expected["sha256"])
    expected = bulk(expected) if isinstance(expected, dict) else expected
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(
            k in got and matches(v, got[k]) for k, v in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(got, list) and len(got) == len(expected) and all(map(matches, expected, got))
        )
    return type(expected) is type(got) and bool(expected == got)


def mutate(args: Out, m: Out) -> Out:
    """A mutation of level `bytes`, on the hex argument at the dotted path `field`."""
    args = copy.deepcopy(args)
    *path, last = (int(p) if p.isdigit() else p for p in m["field"].split("."))
    target: Any = args
    for p in path:
        target = target[p]
    raw = bytearray.fromhex(target[last])
    at = m["at"] if m["at"] >= 0 else len(raw) + m["at"]
    if "xor" in m:
        for i, b in enumerate(bytes.fromhex(m["xor"])):
            raw[at + i] ^= b
    else:
        raw[at : at + len(bytes.fromhex(bulk(m["cut"])))] = bytes.fromhex(bulk(m["put"]))
    target[last] = raw.hex()
    return args


def resolve(v: Any, names: Out) -> Any:
    """ "$name" is the handle in the output called name, "$name.path.0" a part of it."""
    if isinstance(v, str) and v.startswith("$"):
        name, *path = v[1:].split(".")
        value = names[name]
        for p in path or ["handle"]:
            value = value[int(p)] if isinstance(value, list) else value[p]
        return value
    if isinstance(v, dict):
        return {k: resolve(x, names) for k, x in v.items()}
    if isinstance(v, list):
        return [resolve(x, names) for x in v]
    return v


# --- cases -------------------------------------------------------------------------------------


def compare(expect: str, output: Any, trace: list[Any], reply: Out) -> str | None:
    code = (
        "ok"
        if "ok" in reply
        else reply["reject"]["code"]
        if "reject" in reply
        else json.dumps(reply)
    )
    if code != expect:
        return f"expected {expect}, got {code}"
    if "released" in reply.get("reject", {}):
        return "content released with a refusal"
    got = reply.get("ok", {})
    if not matches(output or {}, got):
        wrong = [k for k, v in output.items() if not matches(v, got.get(k))]
        return "; ".join(f"{k}: {str(output[k])[:200]} but {str(got.get(k))[:200]}" for k in wrong)
    mine = iter(got.get("trace", []))
    for name, value in trace:  # a subsequence, by name
        if not any(n == name and matches(value, v) for n, v in mine):
            return f"trace {name} differs from {str(bulk(value))[:60]}"
    return None


def with_trace(args: Out, trace: list[Any]) -> Out:
    return {**args, "trace": True} if trace else args


def run_steps(call: Call, c: Out) -> str | None:
    names: Out = {}
    for i, s in enumerate(c["steps"]):
        args = resolve(bulk(s.get("args", {})), names)
        if s.get("mutation", {}).get("level") == "bytes":
            args = mutate(args, s["mutation"])
        states = (
            [(STATES[k], {k: v}) for k, v in args.items() if k in STATES] if "state" in s else []
        )
        before = [call(op, a) for op, a in states]
        trace = s.get("trace", [])
        reply: Out = {}
        for _ in range(s.get("times", 1)):
            reply = call(s["op"], with_trace(args, trace))
        error = compare(s.get("expect", "ok"), s.get("output"), trace, reply)
        if error is None and states:
            changed = [call(op, a) for op, a in states] != before
            if changed != (s["state"] == "committed"):
                error = "state changed" if changed else "state did not change"
        if error is not None:
            return f"step {i} {s['op']}: {error}"
        if "as" in s:
            names[s["as"]] = reply["ok"]
    for value in names.values():
        if "handle" in value:
            call("drop", {"handle": value["handle"]})
    return None


def run_case(call: Call, c: Out) -> str | None:
    if "steps" in c:
        return run_steps(call, c)
    trace = c.get("trace", [])
    return compare(
        c["expect"], c.get("output"), trace, call(c["op"], with_trace(bulk(c["input"]), trace))
    )


def missing(c: Out, hello: Out) -> str | None:
    """The first of the needs of a case that the driver does not claim."""
    claims = (
        {f"suite-{n}" for n in hello["suites"]}
        | {f"role-{r}" for r in hello["roles"]}
        | set(hello["caps"])
    )
    claims |= {f"tier-{n}" for n in range(hello["tier"] + 1)}
    return next((n for n in c.get("needs", []) if n not in claims), None)


def run_file(call: Call, hello: Out, path: Path, verbose: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    passed: dict[str, bool] = {}
    started = time.monotonic()
    for c in json.loads(path.read_text())["cases"]:
        need = missing(c, hello)
        if need is not None:
            counts["unsupported"] += 1
            print(f"UNSUPPORTED {c['id']}: {need}")
            continue
        error = run_case(call, c)
        if error is None and not passed.get(c.get("twin"), True):
            error = f"twin {c['twin']} did not pass"
        passed[c["id"]] = error is None
        counts["failed" if error else "passed"] += 1
        if error or verbose:
            print(f"{'FAIL' if error else 'PASS'} {c['id']} ({c['title']}): {error or 'ok'}")
    print(f"{path.stem}: {summary(counts)} ({time.monotonic() - started:.1f} s)")
    return counts


def summary(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[k]} {k}" for k in ("passed", "failed", "unsupported"))


def through(command: str) -> Call:
    """A driver over standard input and output."""
    process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    count = 0

    def call(op: str, args: Out) -> Out:
        nonlocal count
        count += 1
        stdin.write(json.dumps({"id": count, "op": op, "args": args}).encode() + b"\n")
        stdin.flush()
        reply: Out = json.loads(stdout.readline())
        if reply.pop("id") != count:
            raise RuntimeError("reply to another request")
        return reply

    return call


def main() -> int:
    parser = argparse.ArgumentParser(description="Recomputes vectors.")
    parser.add_argument("paths", nargs="*", type=Path, default=[VECTORS])
    parser.add_argument("--driver", help="command of a driver; without it this process")
    parser.add_argument("--list", action="store_true", help="list what passed too")
    options = parser.parse_args()
    if options.driver:
        call = through(options.driver)
    else:
        from driver import answer

        def call(op: str, args: Out) -> Out:
            return answer({"op": op, "args": args})

    hello = call("hello", {"driver": 1, "spec": ["AgentMesh/1"]})["ok"]
    files = [f for p in options.paths for f in (sorted(p.glob("*.json")) if p.is_dir() else [p])]
    total: Counter[str] = Counter()
    for path in files:
        total += run_file(call, hello, path, options.list)
    print(summary(total))
    return 0 if total["passed"] and not total["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
