"""The distance to X: bytes arrive half a round trip after they have left, and a connection costs a round trip.

The kernel shakes hands on loopback at once, so the first bytes of a client wait for the round trip that its SYN would
have taken. Bandwidth is unlimited, and TCP's slow start isn't there: a real line is slower than this one.

Run as ``python -m benchmarks.proxy PORT ROUND_TRIP_SECONDS``; it prints its own port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress


class Direction:
    """One way through the line: what comes in leaves later, in order."""

    def __init__(self, writer: asyncio.StreamWriter, seconds: float, not_before: float = 0.0) -> None:
        self._writer = writer
        self._seconds = seconds
        self._not_before = not_before  # of the loop's clock: when the handshake is over
        self._loop = asyncio.get_running_loop()

    async def carry(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(262_144):
                self._later(self._writer.write, data)
        self._later(self._close)

    def _later(self, deed, *words: object) -> None:
        leaves = max(self._loop.time(), self._not_before)
        self._loop.call_at(leaves + self._seconds, deed, *words)

    def _close(self) -> None:
        with suppress(OSError):  # the other side may have gone already
            self._writer.close()


async def serve(port: int, round_trip: float) -> None:
    loop = asyncio.get_running_loop()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected = loop.time() + round_trip
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        there = Direction(far_writer, round_trip / 2, connected)
        back = Direction(writer, round_trip / 2)
        await asyncio.gather(there.carry(reader), back.carry(far_reader))

    server = await asyncio.start_server(connect, "127.0.0.1", 0, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
