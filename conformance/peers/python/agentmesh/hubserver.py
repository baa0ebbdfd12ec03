"""The hub over TCP.

    python3 -m agentmesh.hubserver --port 0 [--host 127.0.0.1] [--data DIR]

Prints one line, `listening on HOST:PORT hub-ik HEX`, when it accepts links; ends at SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from dataclasses import fields
from pathlib import Path

from . import hub
from .encoding import C
from .hub import Limits
from .hubrequests import Hub
from .hubrows import HubDisk
from .suite import SystemDraws

LOGIN_TIMEOUT, IDLE_TIMEOUT = 10, 180
MAX_BACKLOG = 8 * hub.MAX_FRAME  # bytes a link may leave unread before it is closed
LINGER = 1  # seconds in which a link that is closed may still read the last frame
TIMER = 10


class Server:
    """One Hub for all links; frames are handled one after the other."""

    def __init__(self, core: Hub) -> None:
        self.core = core
        self.writers: dict[str, asyncio.StreamWriter] = {}
        self.count = 0

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        name = f"{self.count}"
        self.writers[name] = writer
        opened = time.monotonic()
        try:
            while name in self.writers:
                row = self.core.links.get(name)
                ready = row is not None and row.state == "ready"
                patience = IDLE_TIMEOUT if ready else LOGIN_TIMEOUT - (time.monotonic() - opened)
                raw = await asyncio.wait_for(self.read(reader, writer), max(patience, 0))
                if raw is None:
                    break
                self.emit(self.core.frame(name, raw, int(time.time())))
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self.end(name)
            await self.discard(reader)
            writer.close()

    @staticmethod
    async def discard(reader: asyncio.StreamReader) -> None:
        """Data unread at the close would cost the peer the last frame."""
        try:
            async with asyncio.timeout(LINGER):
                while await reader.read(1 << 16):
                    pass
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
            pass

    @staticmethod
    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """HUB-18 and HUB-19: a length of 0, or above MAX_FRAME, ends the link with an error."""
        length = int.from_bytes(await reader.readexactly(4), "big")
        if 1 <= length <= hub.MAX_FRAME:
            return await reader.readexactly(length)
        writer.write(hub.with_length(C([hub.ERR, 0, 1 if length == 0 else 10, 0])))
        return None

    def emit(self, frames: list[tuple[str, bytes]]) -> None:
        for link, raw in frames:
            writer = self.writers.get(link)
            if writer is not None:
                writer.write(hub.with_length(raw))
                if writer.transport.get_write_buffer_size() > MAX_BACKLOG:
                    writer.transport.abort()
        ended, self.core.closed = self.core.closed, []
        for link in ended:
            self.end(link)

    def end(self, link: str) -> None:
        """Half-closes, so that what was written last arrives although more may come in."""
        writer = self.writers.pop(link, None)
        if writer is not None:
            self.core.close(link)
            self.core.closed.clear()
            if writer.transport.is_closing():
                return
            writer.write_eof()
            asyncio.get_running_loop().call_later(LINGER, writer.close)

    async def clock(self) -> None:
        while True:
            await asyncio.sleep(TIMER)
            self.emit(self.core.timer(int(time.time())))


async def serve(options: argparse.Namespace) -> None:
    draws = SystemDraws()
    disk = HubDisk(Path(options.data) / "hub.sqlite") if options.data else None
    fresh = draws.draw("identity", 32)
    limits = Limits(**{f.name: getattr(options, f.name) for f in fields(Limits)})
    core = Hub(draws, disk.secret(fresh) if disk else fresh, limits, options.max_names, disk)
    server = Server(core)
    listener = await asyncio.start_server(
        server.link, options.host, options.port, limit=hub.MAX_FRAME
    )
    host, port = listener.sockets[0].getsockname()[:2]
    print(f"listening on {host}:{port} hub-ik {core.ik.hex()}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = asyncio.create_task(server.clock())
    await stop.wait()
    clock.cancel()
    listener.close()
    for link in list(server.writers):
        server.end(link)
    if disk is not None:
        disk.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="agentmesh.hubserver", description="A hub of AgentMesh/1 over TCP."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", help="folder of the durable rows; without it they are in memory")
    parser.add_argument("--max-names", type=int)
    for f in fields(Limits):
        parser.add_argument("--" + f.name.replace("_", "-"), type=int, default=f.default)
    asyncio.run(serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
