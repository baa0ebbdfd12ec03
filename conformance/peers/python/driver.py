#!/usr/bin/env python3
"""A driver of conformance/DRIVER.md over standard input and output: one JSON object a line.

python3 driver.py < requests > replies
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from operations import call  # noqa: E402

HELLO = {
    "driver": 1,
    "spec": "AgentMesh/1",
    "impl": {"name": "agentmesh-python", "version": "1"},
    "roles": ["agent", "hub"],
    "tier": 3,
    "suites": [1, 2],
    "caps": ["deterministic", "trace", "digest"],
}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["op"] == "hello":
        return {"ok": HELLO}
    return call(request["op"], request.get("args", {}))


def main() -> int:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reply = {"id": request["id"], **answer(request)}
        sys.stdout.write(json.dumps(reply, separators=(",", ":")) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
