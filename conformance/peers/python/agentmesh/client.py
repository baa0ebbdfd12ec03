"""An agent on a hub's port: one thread reads, writes and ticks; calls come from other threads."""

from __future__ import annotations

import random
import select
import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from . import hub
from .delivery import Courier
from .errors import MeshError
from .store import Entry, Pin

RECONNECT_MIN, RECONNECT_MAX = 1.0, 60.0
PATIENT_CODES = ("hub/version", "hub/auth-failed", "hub/name-taken")
TICK = 0.1
WRITE_TIMEOUT = 30
T = TypeVar("T")


def system_clock() -> int:
    return time.time_ns() // 1_000_000


class Client:
    """`core` is only touched under `lock`, which clients may share. `clock` gives milliseconds."""

    def __init__(
        self,
        core: Courier,
        host: str,
        port: int,
        clock: Callable[[], int] = system_clock,
        lock: threading.RLock | None = None,
    ) -> None:
        self.core = core
        self.address = (host, port)
        self.clock = clock
        self.lock = lock if lock is not None else threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.socket: socket.socket | None = None
        self.stopping = False
        self.last_code: str | None = None  # why the last link ended
        self.counts: list[Any] | None = None  # of the first READY
        self.events: list[tuple[str, Any]] = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    # --- the thread ----------------------------------------------------------------------------

    def run(self) -> None:
        wait = RECONNECT_MIN
        while not self.stopping:
            code, was_ready = self.one_link()
            with self.lock:
                self.last_code = code
                if not self.stopping:
                    self.events.append(("lost", code))
                self.changed.notify_all()
            if code == "hub/replaced":  # HUB-10
                return
            wait = RECONNECT_MIN if was_ready else wait
            pause = (
                RECONNECT_MAX if code in PATIENT_CODES else wait * random.uniform(0.5, 1.0)
            )  # HUB-9, HUB-11
            wait = min(2 * wait, RECONNECT_MAX)
            self.idle(pause)

    def idle(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < end:
            time.sleep(min(TICK, seconds))
            self.step(None)

    def step(self, buffer: bytearray | None) -> bool:
        """Takes the frames of the buffer, ticks, writes; false once the client is closed."""
        with self.lock:
            if self.stopping:
                return False
            self.at_now()
            if buffer is not None:
                self.take(buffer)
            if self.counts is None and self.core.link is not None:
                self.counts = self.core.link.counts
            self.core.tick()
            self.flush()
        return True

    def one_link(self) -> tuple[str, bool]:
        """From connect to loss: (code, whether it ever was ready)."""
        was_ready = False
        try:
            with socket.create_connection(self.address, timeout=10) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                s.settimeout(WRITE_TIMEOUT)
                with self.lock:
                    self.at_now()
                    self.socket = s
                    self.core.linked()
                    self.flush()
                buffer = bytearray()
                while self.step(buffer):
                    was_ready = was_ready or self.core.is_ready
                    if select.select([s], [], [], TICK)[0]:
                        data = s.recv(1 << 16)
                        if not data:
                            return "hub/unreachable", was_ready
                        buffer += data
                return "agent/closed", was_ready
        except MeshError as e:
            return e.code, was_ready
        except (OSError, ValueError):  # ValueError: closed while it was waited for
            return "hub/unreachable", was_ready
        except Exception:  # a defect; nothing was acknowledged (AGENT-42)
            traceback.print_exc()
            return "hub/unreachable", was_ready
        finally:
            with self.lock:
                self.socket = None
                if not self.stopping:
                    self.core.unlinked()
                    self.collect()

    def take(self, buffer: bytearray) -> None:
        """All whole frames of the buffer."""
        while len(buffer) >= 4:
            length = int.from_bytes(buffer[:4], "big")
            if not 1 <= length <= hub.MAX_FRAME:
                raise MeshError("hub/malformed", "length")
            if len(buffer) < 4 + length:
                return
            raw = bytes(buffer[4 : 4 + length])
            del buffer[: 4 + length]
            self.core.frame(raw)

    def at_now(self) -> None:
        self.core.now_ms = self.clock()

    def flush(self) -> None:
        """Writes what the core has to send, and hands on its events."""
        out, self.core.out = self.core.out, []
        if out and self.socket is not None:
            self.socket.sendall(b"".join(map(hub.with_length, out)))
        self.collect()

    def collect(self) -> None:
        if self.core.events:
            self.events += self.core.events
            self.core.events = []
        self.changed.notify_all()

    # --- calls ---------------------------------------------------------------------------------

    def do(self, call: Callable[[], T]) -> T:
        """A call of the core by another thread."""
        with self.lock:
            if self.stopping:
                raise MeshError("agent/closed")
            self.at_now()
            try:
                return call()
            finally:
                try:
                    self.flush()
                except OSError:
                    pass  # the thread finds the link lost

    def wait(self, found: Callable[[], T | None], seconds: float) -> T:
        """Waits for `found` to return something; agent/timeout."""
        end = time.monotonic() + seconds
        with self.lock:
            while True:
                value = found()
                if value is not None:
                    return value
                left = end - time.monotonic()
                if left <= 0 or self.stopping:
                    raise MeshError("agent/closed" if self.stopping else "agent/timeout")
                self.changed.wait(left)

    def wait_ready(self, seconds: float) -> None:
        def state() -> str | None:
            if self.core.is_ready:
                return ""
            return self.last_code if self.last_code not in (None, "hub/unreachable") else None

        code = self.wait(state, seconds)
        if code:
            raise MeshError(code)

    def send(
        self,
        to: str | list[str],
        payload: bytes,
        re: bytes | None = None,
        ask: int = 0,
        seconds: float = 30,
    ) -> bytes:
        """The id of the content, once it is queued."""
        result: list[bytes | MeshError] = []
        self.do(lambda: self.core.send(to, payload, re, ask, result.append))

        self.wait(lambda: result or None, seconds)
        answer = result[0]
        if isinstance(answer, MeshError):
            raise answer
        return answer

    def receive(self, seconds: float) -> tuple[Entry, Pin | None]:
        """The next content of the inbox; it counts as handled."""

        def first() -> tuple[int, Entry, Pin | None] | None:
            pending = self.core.pending()
            return pending[0] if pending else None

        with self.lock:
            n, entry, pin = self.wait(first, seconds)
            self.do(lambda: self.core.done(n))
        return entry, pin

    def close(self) -> None:
        with self.lock:
            if self.stopping:
                return
            self.stopping = True
            self.collect()
            if self.socket is not None:
                self.socket.close()  # what the thread does later has no effect
                self.socket = None
        if self.core.disk is not None:
            self.core.disk.close()
