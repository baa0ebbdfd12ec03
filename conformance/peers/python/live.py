#!/usr/bin/env python3
"""Two drivers of tier 3 at one hub over TCP: first contact, receipts, replies, 100 contents each
way, a restart of the hub.

    live.py [--a COMMAND] [--b COMMAND] [--hub COMMAND] [--count N]

The hub's command gets `--port P --data DIR`; its first line with HOST:PORT says that it is ready.
Exit code 0 if everything arrived once and was receipted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OWN_DRIVER = f"{sys.executable} {HERE / 'driver.py'}"
OWN_HUB = f"{sys.executable} -m agentmesh.hubserver"
Json = dict[str, Any]


class Driver:
    def __init__(self, command: str) -> None:
        self.process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.count = 0
        hello = self.call("hello", driver=1, spec=["AgentMesh/1"])
        if hello["tier"] < 3:
            raise SystemExit(f"{command}: tier {hello['tier']}")
        self.name: str = hello["impl"]["name"]
        self.suites: list[int] = hello["suites"]

    def reply(self, op: str, **args: Any) -> Json:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.count += 1
        self.process.stdin.write(
            json.dumps({"id": self.count, "op": op, "args": args}).encode() + b"\n"
        )
        self.process.stdin.flush()
        reply: Json = json.loads(self.process.stdout.readline())
        return reply

    def call(self, op: str, **args: Any) -> Json:
        reply = self.reply(op, **args)
        if "ok" not in reply:
            raise SystemExit(f"{op}: {reply}")
        ok: Json = reply["ok"]
        return ok

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


class Agent:
    """An agent behind a driver, and everything that its polls told."""

    def __init__(self, driver: Driver, name: str, **options: Any) -> None:
        self.driver, self.name = driver, name
        new = driver.call(
            "agent.new", name=name, seed=os.urandom(32).hex(), now=int(time.time()), **options
        )
        self.handle, self.fingerprint = new["handle"], new["fingerprint"]
        self.told: Json = {}

    def connect(self, port: int, **options: Any) -> Json:
        return self.driver.call(
            "agent.connect", agent=self.handle, host="127.0.0.1", port=port, **options
        )

    def submit(self, to: str, body: bytes, **options: Any) -> str:
        content_id: str = self.driver.call(
            "agent.submit", agent=self.handle, to=to, body=body.hex(), **options
        )["id"]
        return content_id

    def poll(self, wait: int = 100) -> None:
        for k, v in self.driver.call("agent.poll", agent=self.handle, wait=wait).items():
            self.told[k] = self.told.get(k, []) + v if isinstance(v, list) else v

    def messages(self) -> list[Json]:
        messages: list[Json] = self.told.get("messages", [])
        return messages

    def states(self, content_id: str) -> list[str]:
        return [r["state"] for r in self.told.get("receipts", []) if r["id"] == content_id]


class HubProcess:
    def __init__(self, command: str, folder: str) -> None:
        self.command, self.folder, self.port = command, folder, 0
        self.start()

    def start(self) -> None:
        command = [*shlex.split(self.command), "--port", str(self.port), "--data", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                return
        raise SystemExit("the hub did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def text(n: int) -> bytes:
    """The payload {"n": n}."""
    return b"\xa1\x61n" + (
        bytes([n]) if n < 24 else bytes([24, n]) if n < 256 else b"\x19" + n.to_bytes(2, "big")
    )


def until(what: str, agents: list[Agent], reached: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            for agent in agents:
                told = {k: v[-3:] if isinstance(v, list) else v for k, v in agent.told.items()}
                print(agent.name, told, file=sys.stderr)
            raise SystemExit(f"{what}: not within {seconds} s")
        for agent in agents:
            agent.poll(20)


def say(started: float, what: str) -> None:
    print(f"{time.monotonic() - started:6.2f} s  {what}", flush=True)


def run(options: argparse.Namespace, folder: str) -> None:
    hub = HubProcess(options.hub, folder)
    drivers: list[Driver] = []
    try:
        drivers += [Driver(options.a), Driver(options.b)]
        a, b = (
            Agent(d, f"{n}-{os.urandom(3).hex()}", suites=options.suites)
            for d, n in zip(drivers, "ab")
        )
        started = time.monotonic()
        say(started, f"{drivers[0].name} as a, {drivers[1].name} as b, suites {options.suites}")
        for agent in (a, b):
            agent.connect(hub.port)
        both = [a, b]
        until(
            "login", both, lambda: time.monotonic() - started > 3
        )  # bundles and one-time keys go out
        for one, other in ((a, b), (b, a)):
            first = one.submit(f"{other.name}#{other.fingerprint}", text(0), ask=1)
            until("first contact", both, lambda: "processed" in one.states(first))
            got = other.messages()[-1]
            assert (got["id"], got["from"], got["fingerprint"], got["body"]) == (
                first,
                one.name,
                one.fingerprint,
                text(0).hex(),
            ), got
            say(started, f"{one.name}: delivered and processed")
        for n in range(10):
            for one, other in ((a, b), (b, a)):
                before = len(other.messages())
                last = one.messages()[-1]["id"]
                one.submit(other.name, text(n), re=last)
                until("reply", both, lambda: len(other.messages()) > before)
                assert other.messages()[-1]["re"] == last
        say(started, "ten replies each way")
        many(started, a, b, options.count, lambda n: None)

        def restart(n: int) -> None:
            if n == options.count // 2:
                hub.stop()
                hub.start()

        many(started, a, b, options.count, restart)
        say(started, "the hub was restarted meanwhile")
        for agent in both:
            bad = {
                k: v
                for k, v in agent.told.items()
                if k in ("undelivered", "refused", "problems", "changed") and v
            }
            say(
                started,
                f"{agent.name}: " + (json.dumps(bad) if bad else "nothing refused, nothing lost"),
            )
            assert "undelivered" not in bad and "changed" not in bad
        for one, other in ((a, b), (b, a)):
            kept = one.driver.call("agent.receipts", agent=one.handle, name=other.name)["receipts"]
            say(started, f"{one.name} keeps {len(kept)} directory receipts of {other.name}")
        for agent in both:
            agent.driver.call("agent.disconnect", agent=agent.handle)
            agent.driver.call("drop", handle=agent.handle)
    finally:
        for driver in drivers:
            driver.close()
        hub.stop()


def many(started: float, a: Agent, b: Agent, count: int, between: Any) -> None:
    """`count` contents each way, each received once, in order, and receipted."""
    at = {x.name: len(x.messages()) for x in (a, b)}
    ids: dict[str, list[str]] = {a.name: [], b.name: []}
    for n in range(count):
        between(n)
        for one, other in ((a, b), (b, a)):
            ids[one.name].append(one.submit(other.name, text(n)))
    both = [a, b]
    until("contents", both, lambda: all(len(x.messages()) >= at[x.name] + count for x in both), 180)
    until(
        "receipts",
        both,
        lambda: all("delivered" in x.states(i) for x in both for i in ids[x.name][-1:]),
    )
    for one, other in ((a, b), (b, a)):
        got = [m["id"] for m in other.messages()[at[other.name] :]]
        assert sorted(got) == sorted(ids[one.name]), "another set of contents"
        say(
            started,
            f"{one.name}: {count} contents{'' if got == ids[one.name] else ', not in order'}",
        )
    until(
        "all receipts",
        both,
        lambda: all("delivered" in x.states(i) for x in both for i in ids[x.name]),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Two drivers at one hub.")
    parser.add_argument("--a", default=OWN_DRIVER)
    parser.add_argument("--b", default=OWN_DRIVER)
    parser.add_argument("--hub", default=OWN_HUB)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--suites", type=lambda s: [int(x) for x in s.split(",")], default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(options, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
