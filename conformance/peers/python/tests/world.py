"""A hub and its agents in one process, with a clock in hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agentmesh import identity as idn
from agentmesh.delivery import Courier
from agentmesh.encoding import encode_payload
from agentmesh.errors import MeshError
from agentmesh.hub import Limits
from agentmesh.hubrequests import Hub
from agentmesh.store import Entry
from agentmesh.suite import SystemDraws

START = 1_767_225_600


@dataclass
class Seat:
    """One agent: its core, its link, and everything that it told."""

    core: Courier
    online: bool = False
    link: str = ""
    got: list[Entry] = field(default_factory=list)
    events: list[tuple[str, Any]] = field(default_factory=list)

    def ids(self) -> list[bytes]:
        return [e.id for e in self.got]

    def told(self, kind: str) -> list[Any]:
        return [what for k, what in self.events if k == kind]

    def states(self, content_id: bytes) -> list[int]:
        return [status for _, i, status in self.told("receipt") if i == content_id]


class World:
    def __init__(self, limits: Limits = Limits(), lose: Any = None) -> None:
        draws = SystemDraws()
        self.hub = Hub(draws, draws.draw("identity", 32), limits)
        self.ms = 1000 * START
        self.seats: dict[str, Seat] = {}
        self.count = 0
        self.lose = lose  # (sender, to hub, frame) -> whether the frame is lost with its link

    @property
    def now(self) -> int:
        return self.ms // 1000

    def agent(self, name: str, **options: Any) -> Seat:
        """A new agent, logged in."""
        draws = SystemDraws()
        identity = options.pop("identity", None) or idn.create(name, draws)
        core = Courier(identity, draws, self.now, **options)
        core.publish()
        return self.seat(name, core)

    def seat(self, name: str, core: Courier) -> Seat:
        core.now_ms = self.ms
        self.seats[name] = Seat(core)
        self.connect(name)
        return self.seats[name]

    def connect(self, name: str) -> None:
        seat = self.seats[name]
        self.count += 1
        seat.online, seat.link = True, f"link {self.count}"
        seat.core.now_ms = self.ms
        seat.core.linked()
        self.settle()

    def disconnect(self, name: str) -> None:
        seat = self.seats[name]
        if seat.online:
            seat.online = False
            self.hub.close(seat.link)
            seat.core.unlinked()

    def restart(self, name: str) -> None:
        """The process ends and begins again; the store stays."""
        self.disconnect(name)
        old = self.seats[name].core
        core = Courier(old.identity, old.draws, self.now, old.suites, old.policy)
        core.store = old.store
        self.seats[name].core = core
        self.connect(name)

    def settle(self) -> None:
        """Carries frames until none is left, and handles what is in the inboxes."""
        busy = True
        while busy:
            busy = False
            for name, seat in list(self.seats.items()):
                out, seat.core.out = seat.core.out, []
                for raw in out if seat.online else []:
                    busy = True
                    self.carry(name, raw)
                for n, entry, _ in seat.core.pending():
                    busy = True
                    seat.got.append(entry)
                    seat.core.done(n)
                seat.events += seat.core.events
                seat.core.events = []

    def carry(self, name: str, raw: bytes) -> None:
        seat = self.seats[name]
        if self.lose is not None and self.lose(name, True, raw):
            self.disconnect(name)
        if not seat.online:
            return
        links = {s.link: n for n, s in self.seats.items() if s.online}
        for link, reply in self.hub.frame(seat.link, raw, self.now):
            to = links[link]
            if not self.seats[to].online:
                continue
            if self.lose is not None and self.lose(to, False, reply):
                self.disconnect(to)
                continue
            try:
                self.seats[to].core.frame(reply)
            except MeshError as e:
                self.seats[to].events.append(("lost", e.code))
                self.disconnect(to)

    def run(self, seconds: int, step: int = 1) -> None:
        """Time passes."""
        for _ in range(0, seconds, step):
            self.ms += 1000 * step
            self.hub.timer(self.now)
            for name, seat in self.seats.items():
                seat.core.now_ms = self.ms
                try:
                    seat.core.tick()
                except MeshError as e:
                    seat.events.append(("lost", e.code))
                    self.disconnect(name)
            self.settle()

    def send(self, name: str, to: str, text: str = "", ask: int = 0) -> bytes:
        """The id, or the refusal."""
        result: list[bytes | MeshError] = []
        seat = self.seats[name]
        seat.core.send(to, encode_payload({"text": text}), None, ask, result.append)
        self.settle()
        answer = result[0]
        if isinstance(answer, MeshError):
            raise answer
        return answer
