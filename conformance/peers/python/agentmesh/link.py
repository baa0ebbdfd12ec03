"""§11: the agent's side of a link, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import encoding as enc
from . import hub
from .encoding import C
from .errors import MeshError
from .identity import Identity
from .suite import Draws

MAX_RETRY_AFTER = 3_600


@dataclass(frozen=True)
class Found:
    bundle: bytes
    one_time: bytes | None
    receipt: bytes


class Link:
    """Sans-IO: frames in, frames and events out. After a MeshError the link is closed."""

    def __init__(
        self,
        identity: Identity,
        draws: Draws,
        pinned_hub: bytes | None,
        own_limits: hub.Limits = hub.Limits(),
        fingerprint: str | None = None,
    ) -> None:
        self.identity = identity
        self.draws = draws
        self.pinned = pinned_hub
        self.fingerprint = fingerprint  # of the hub, if the pin was given so
        self.limits = own_limits
        self.state = "new"
        self.hello = b""
        self.welcome: hub.Welcome | None = None
        self.counts: list[Any] | None = None
        self._rid = 0
        self._open: dict[int, int] = {}  # rid -> type

    def start(self) -> bytes:
        self.hello = hub.make_hello(self.draws)
        self.state = "greeting"
        return self.hello

    def request(self, kind: int, *fields: Any) -> tuple[int, bytes]:
        if self.state != "ready":
            raise MeshError("hub/unreachable", "not ready")
        self._rid = self._rid % hub.MAX_RID + 1
        while self._rid in self._open:
            self._rid = self._rid % hub.MAX_RID + 1
        self._open[self._rid] = kind
        return self._rid, C([kind, self._rid, *fields])

    def put_bundle(self, raw: bytes) -> tuple[int, bytes]:
        return self.request(hub.PUT_BUNDLE, enc.decode(raw))

    def put_one_time(self, drop: bool, keys: Sequence[bytes]) -> tuple[int, bytes]:
        return self.request(hub.PUT_ONE_TIME, int(drop), [enc.decode(k) for k in keys])

    def get_bundle(self, name: str, suites: Sequence[int]) -> tuple[int, bytes]:
        return self.request(hub.GET_BUNDLE, name, sorted(suites, reverse=True))

    def send(self, to: str, envelope: bytes) -> tuple[int, bytes]:
        guard = enc.decode(enc.decode(envelope)[0])[5]
        return self.request(hub.SEND, to, guard, envelope)

    def ack(self, mseqs: Sequence[int]) -> tuple[int, bytes]:
        return self.request(hub.ACK, list(mseqs))

    def receive(self, raw: bytes) -> tuple[list[bytes], list[tuple[Any, ...]]]:
        """(frames to send, events); events: ready, ok, err, deliver, low."""
        try:
            return self._receive(raw)
        except MeshError:
            self.state = "closed"
            raise

    def _receive(self, raw: bytes) -> tuple[list[bytes], list[tuple[Any, ...]]]:
        frame = hub.decode_frame(raw)
        kind = frame[0]
        if kind in hub.REQUESTS or kind in (hub.HELLO, hub.AUTH):
            raise MeshError("hub/malformed", "type of agents")
        if self.state == "greeting" and kind == hub.WELCOME:
            self.welcome = hub.check_welcome(self.hello, raw, self.pinned, self.fingerprint)
            self.limits = self.limits.at_most(self.welcome.limits)
            self.state = "authenticating"
            return [hub.make_auth(self.identity, self.hello, self.welcome)], []
        if self.state == "authenticating" and kind == hub.READY:
            self.state = "ready"
            self.counts = frame[2]
            assert self.welcome is not None
            self.pinned = self.welcome.hub_ik
            return [], [("ready", frame[2], self.welcome.hub_ik)]
        if kind == hub.ERR:
            code, retry = hub.error_code(frame[2]), min(frame[3], MAX_RETRY_AFTER)
            if frame[1] == 0 or self.state != "ready":
                raise MeshError(code)
            if frame[1] in self._open:
                return [], [("err", frame[1], self._open.pop(frame[1]), code, retry)]
            return [], []
        if self.state != "ready":
            raise MeshError("hub/malformed", "frame out of order")
        if kind == hub.OK:
            if frame[1] not in self._open:
                return [], []
            asked = self._open.pop(frame[1])
            try:
                result = hub.RESULTS[asked](frame[2])
            except MeshError as e:
                raise MeshError("hub/malformed", "result of another request") from e
            return [], [
                ("ok", frame[1], asked, Found(*result) if asked == hub.GET_BUNDLE else result)
            ]
        if kind == hub.DELIVER:
            return [], [("deliver", frame[2], frame[3], frame[4])]
        if kind == hub.LOW_ONE_TIME:
            return [], [("low", frame[2], frame[3])]
        raise MeshError("hub/malformed", "frame out of order")
