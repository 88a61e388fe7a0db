"""The way to a sandbox, on which some requests meet somebody hostile; raw sockets, as HTTP libraries are too polite."""

from __future__ import annotations

import re
import socket
import socketserver
import struct
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Self

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from tests.patience import LONGEST, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from profilectl.sandbox.model.world import World

RESET = b""
"""Stands for no answer at all: the connection is reset."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time at all
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Gate(socketserver.ThreadingTCPServer):
    """Passes requests on, but for those that begin with `ambushed`; they get what `answer` makes of their head.

    One request a connection. `asked` holds the first lines of all that came.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, world: World) -> None:
        self.ambushed: str | None = None
        self.answer: Callable[[bytes], bytes] = lambda _: RESET
        self.asked: list[str] = []
        self.sandbox = SandboxServer(SandboxApp(world))
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        super().__init__(("127.0.0.1", 0), _Passage)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self.sandbox.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        join(self._thread)
        self.server_close()
        self.sandbox.__exit__(*error)


class _Passage(socketserver.BaseRequestHandler):
    server: Gate

    def handle(self) -> None:
        self.request.settimeout(LONGEST)
        head, body = self._read()
        line = head.partition(b"\r\n")[0].decode("latin-1")
        self.server.asked.append(line)
        if self.server.ambushed is None or self.server.ambushed not in line:
            self._pass_on(head.replace(b"Connection: keep-alive", b"Connection: close") + b"\r\n\r\n" + body)
            return
        answer = self.server.answer(head)
        if answer == RESET:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.request.close()
            return
        with suppress(OSError):  # whoever hangs up early has read enough
            self.request.sendall(answer)

    def _read(self) -> tuple[bytes, bytes]:
        """Read all of a request, so that closing the connection doesn't reset it before the answer is read."""
        content = b""
        while b"\r\n\r\n" not in content:
            content += self._receive()
        head, _, body = content.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        while length and len(body) < int(length[1]):
            body += self._receive()
        return head, body

    def _receive(self) -> bytes:
        piece = self.request.recv(65536)
        if not piece:
            raise ConnectionAbortedError
        return piece

    def _pass_on(self, request: bytes) -> None:
        with closing(socket.create_connection(("127.0.0.1", self.server.sandbox.port), LONGEST)) as onward:
            onward.sendall(request)
            while piece := onward.recv(65536):
                self.request.sendall(piece)
