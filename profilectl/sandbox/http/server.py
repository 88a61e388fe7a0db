"""The sandbox on a loopback port: HTTP/1.1 over the standard library, without a log of requests."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import secrets
import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from profilectl.sandbox.http.access import TOKEN
from profilectl.sandbox.http.admin import ENDING
from profilectl.sandbox.http.fault_injection import ConnectionDropped, StrangeAnswer
from profilectl.sandbox.http.request import MAX_BODY

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from profilectl.sandbox.http.app import SandboxApp

LOOPBACK = "127.0.0.1"  # never another interface: who may use the sandbox is on this machine
_Headers = list[tuple[str, str]]
MAX_CONNECTIONS = 64  # each holds a thread; more of them wait until one ends
_MAX_LARGE_BODIES = 4  # that come in at once, as anybody on the machine may send some
_LARGE = 1024 * 1024  # bytes
_PATIENCE = 30  # seconds that a connection may be silent, that a request may take to arrive, and its answer to leave
_ROOM_CHECK = 0.1  # seconds between two looks whether the server ends, while it has no room
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time at all
_log = logging.getLogger(__name__)


class _Handler(BaseHTTPRequestHandler):
    """One connection; its requests become WSGI calls."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Nagle and a client's delayed ACK together cost some 40 ms a call
    timeout = _PATIENCE

    def setup(self) -> None:
        """Read from the socket until a deadline: the standard library's is one for each packet."""
        super().setup()
        self._incoming = _Incoming(self.connection)
        self.rfile = self._requests = io.BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        """Wait for a request, and then until it is here as a whole, each for `_PATIENCE` seconds at most."""
        self._incoming.allow(_PATIENCE)
        try:
            self._requests.peek(1)
        except TimeoutError:
            self.close_connection = True
            return
        self._incoming.allow(_PATIENCE)
        super().handle_one_request()

    def _answer(self) -> None:
        # Chunked bodies aren't read, as no client of X needs them: a request could hide in one that lies of its length.
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse_body("411 Length Required")
            return
        if int(length) > MAX_BODY:
            self._refuse_body("413 Content Too Large")
            return
        with self.server.large_bodies if int(length) > _LARGE else contextlib.nullcontext():
            self._incoming.allow(_PATIENCE)
            body = self.rfile.read(int(length))
        if len(body) < int(length):  # whoever gave up in the middle has asked for nothing
            self.close_connection = True
            return
        try:
            self._run(self._environ(body))
        except StrangeAnswer as answer:
            self._send_strangely(answer)
        except ConnectionDropped:
            self._drop()
        except Exception:  # noqa: BLE001 - one defect must not take the whole sandbox down
            _report(f"the sandbox failed on {self.command} {self.path}")
            self._write("500 Internal Server Error", [], b'{"errors":[{"code":131,"message":"Internal error"}]}')

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - http.server's names

    def _refuse_body(self, status: str) -> None:
        """Answer a request whose body stays unread: nothing more can come over this connection."""
        self.close_connection = True
        self._write(status, [], b"")

    def _run(self, environ: WSGIEnvironment) -> None:
        started: list[tuple[str, _Headers]] = []
        parts: list[bytes] = []

        def start_response(status: str, headers: _Headers, _error: object = None) -> Callable[[bytes], None]:
            started.append((status, headers))
            return parts.append

        parts.extend(self.server.app(environ, start_response))
        status, headers = started[-1]
        self._write(status, headers, b"".join(parts))

    def _write(self, status: str, headers: _Headers, body: bytes) -> None:
        """Write an answer in one piece; a body shorter than it says is followed by the end of the connection."""
        declared = next((int(value) for name, value in headers if name == "Content-Length"), None)
        if declared is None and not status.startswith("204"):
            declared, headers = len(body), [*headers, ("Content-Length", str(len(body)))]
        if declared is not None and declared != len(body):
            self.close_connection = True
        if self.close_connection:
            headers = [*headers, ("Connection", "close")]
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        payload = b"" if self.command == "HEAD" else body
        self.connection.settimeout(_PATIENCE)
        try:
            self.wfile.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + payload)
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client has gone, or doesn't read

    def _environ(self, body: bytes) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            ENDING: self.server.ending,
            TOKEN: self.server.token,
        }
        for name, value in self.headers.items():
            if name.lower() == "content-type":
                environ["CONTENT_TYPE"] = value
            elif name.lower() != "content-length":
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def _send_strangely(self, answer: StrangeAnswer) -> None:
        """Send piece after piece, until all are sent, the client has gone, or the server ends."""
        self.connection.settimeout(_PATIENCE)
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.connection.sendall(answer.start)
            for piece in answer.pieces:
                if self.server.ending.wait(answer.seconds):
                    break
                self.connection.sendall(piece)
        self.close_connection = True  # not by a reset, which could take from the client what it hasn't read

    def _drop(self) -> None:
        """Close without an answer; the client sees its connection reset."""
        # Without lingering close() sends a reset, which no client can take for the end of an answer.
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: stderr belongs to whoever started the sandbox."""


class _Incoming(io.RawIOBase):
    """What comes in over a connection; TimeoutError when the deadline has passed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = 0.0

    def allow(self, seconds: float) -> None:
        """Move the deadline so far from now."""
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        """It is for reading only."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Take what has come, at least a byte unless the client has ended."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self._connection.settimeout(seconds)
        return self._connection.recv_into(buffer)


class SandboxServer(socketserver.ThreadingTCPServer):
    """A running sandbox, one thread per connection; port 0 takes a free one, and OSError means that it is taken.

    Everybody on the machine can connect. `token` is what pages and the control plane ask for; it is another one at each
    start, so that one that was seen by others is worth nothing for long.
    """

    allow_reuse_address = True  # a restart on the same port doesn't wait for the end of TIME_WAIT
    request_queue_size = 128  # the five of socketserver are too few for clients with many threads

    def __init__(self, app: SandboxApp, port: int = 0) -> None:
        self.app = app
        self.token = secrets.token_urlsafe(24)
        self.large_bodies = threading.Semaphore(_MAX_LARGE_BODIES)
        self._room = threading.Semaphore(MAX_CONNECTIONS)
        self.ending = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pages(self) -> str:
        """The address for a browser, which lets it in."""
        return f"{self.url}/?token={self.token}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()  # first, as a server without room for more looks at nothing else
        self.shutdown()
        self.close()

    def close(self) -> None:
        """Stop listening, end every connection and wait for its thread; the world stays open."""
        self.ending.set()
        self.app.end_waits()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        if self._thread:
            self._thread.join()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take the next connection as soon as there is room; OSError if there is none, or the server ends before."""
        while not self._room.acquire(timeout=_ROOM_CHECK):
            if self.ending.is_set():
                raise TimeoutError
        try:
            return super().get_request()
        except OSError:
            self._room.release()
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that it can be ended."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)
        self._room.release()

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """A client that goes away is no event; anything else is a defect of the sandbox."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            _report(f"a connection from {client_address} failed")


def _report(what: str) -> None:
    """Log the defect that is being handled; nothing that a client sent reaches a terminal raw."""
    report = f"{what}\n{traceback.format_exc()}"
    _log.error("%s", re.sub(r"[^\n -~]", lambda match: ascii(match[0])[1:-1], report))
