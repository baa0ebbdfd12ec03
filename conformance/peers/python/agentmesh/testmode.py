"""§4, the deterministic test mode. Only the conformance entry imports it (SUITE-7)."""

from __future__ import annotations

from .encoding import C
from .suite import hkdf_expand, label


def draw_info(name: str, index: int) -> bytes:
    return C([label("test"), name, index])


class SeededDraws:
    """The i-th draw of a name; i is counted for each name of this object."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.counts: dict[str, int] = {}

    def draw(self, name: str, length: int) -> bytes:
        i = self.counts.get(name, 0)
        self.counts[name] = i + 1
        return hkdf_expand(self.seed, draw_info(name, i), length)
