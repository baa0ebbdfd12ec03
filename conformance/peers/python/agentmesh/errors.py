"""§13: one exception, which carries exactly one code of the closed list."""

from __future__ import annotations


class MeshError(Exception):
    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
