"""A server on loopback that answers as its test says, in a thread of its own."""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple


class Request(NamedTuple):
    """What a client has sent."""

    path: str  # with its query
    headers: dict[str, str]
    body: bytes
    method: str


class LoopbackServer:
    """Answers from the beginning of a ``with`` block to its end; its address is known before.

    Attributes:
        url: without a slash at its end.
    """

    def __init__(self, answer):
        """`answer` takes a `Request`, and returns the status, headers by their names, and the body as bytes."""

        class Handler(BaseHTTPRequestHandler):
            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, content = answer(Request(self.path, dict(self.headers), body, self.command))
                with suppress(ConnectionError):  # whoever has seen enough of it hangs up
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self.close()
        self._thread.join()

    def close(self):
        """Let nobody connect any more, before the end of the block."""
        self._server.server_close()
