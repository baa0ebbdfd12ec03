"""The operations of conformance/DRIVER.md, for driver.py and recompute.py."""

from __future__ import annotations

from . import agents, bundles, envelopes, hubs, live, primitives
from .core import HANDLES, OPS, call

__all__ = ["HANDLES", "OPS", "agents", "bundles", "call", "envelopes", "hubs", "live", "primitives"]
