"""Runs of the program by a process that has loaded it before: a real process each, without the start of an interpreter.

A start takes a quarter of a second of CPU and is the same every time, and tests of what a command does ask for
thousands of runs. What a run has of its own it has here too: streams, folder, environment, umask, signals, the way it
ends. Where the start matters, on terminals, behind another program and with variables that Python reads when it starts,
the program is started as its users do; PROFILECTL_TEST_FRESH=1 has it started so everywhere.
"""

from __future__ import annotations

import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import profilectl
from tests.patience import LONGEST
from tests.preloaded_server import HEAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = [sys.executable, "-m", "profilectl"]
_SERVER = Path(__file__).with_name("preloaded_server.py")
_LIBRARIES = (
    *("PIL.Image", "PIL.ImageOps", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "concurrent.futures.thread", "email"),
    *("http.client", "httpx", "jinja2", "logging", "oauthlib.oauth1", "rich.console", "rich.table", "sqlite3", "ssl"),
    *("statistics", "werkzeug.routing", "werkzeug.serving", "werkzeug.wrappers", "yaml", "zoneinfo"),
)
_LEFT_OUT = ("profilectl.__main__", "profilectl.sandbox.pytest_plugin")
_READ_AT_START = (  # by Python, its locale, and libraries while they are loaded
    *("PYTHON", "LD_", "LANG", "LC_"),
    *("TYPER_", "_TYPER_", "PILLOW_", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH"),
)


def modules_of_a_run() -> list[str]:
    """Return the names of all modules that some run of the program loads, libraries included."""
    ours = [module.name for module in pkgutil.walk_packages(profilectl.__path__, "profilectl.")]
    return [*_LIBRARIES, *(name for name in ours if name not in _LEFT_OUT)]


class Preloaded:
    """The process that has loaded the program, there as long as the ``with`` block."""

    def __enter__(self) -> Self:
        self._control, theirs = socket.socketpair()
        self._usual = _read_at_start(os.environ)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, _SERVER, str(theirs.fileno()), *modules_of_a_run()],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "HOME": "/nonexistent"},  # by which no test takes a run for what it left behind
            )
        return self

    def __exit__(self, *_error: object) -> None:
        self._control.close()
        self._server.wait()

    def is_for(self, environ: Mapping[str, str]) -> bool:
        """Tell whether a run with this environment may be a fork: nothing that an interpreter reads is another."""
        return "PROFILECTL_TEST_FRESH" not in os.environ and _read_at_start(environ) == self._usual

    def run(
        self,
        words: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: str = "",
        timeout: float = LONGEST,
        module: str = "profilectl",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line as `subprocess.run` runs ``python -m profilectl``, as text.

        Args:
            words: the command line, without the program.
            cwd: the folder that it is run in.
            env: the whole environment.
            stdin: what it may read.
            timeout: seconds.
            module: what is run, if not the program.

        Raises:
            subprocess.TimeoutExpired: it wasn't over by then, and was killed.
        """
        end = time.monotonic() + timeout
        words = [os.fspath(word) for word in words]
        request = {"module": module, "words": words, "cwd": str(cwd), "env": dict(env), "umask": _umask()}
        with ExitStack() as stack:
            connection, streams = self._begin(json.dumps(request).encode(), stack)
            pid = _number(connection)
            try:
                out, err = _communicate(streams, stdin, end)
                connection.settimeout(max(0.0, end - time.monotonic()))
                code = _number(connection)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([*PROGRAM, *words], timeout) from None
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess([*PROGRAM, *words], code, out, err)

    def _begin(self, request: bytes, stack: ExitStack) -> tuple[socket.socket, list[IO[bytes]]]:
        """Return the connection that tells of a run, and our ends of its streams, all of which the stack closes."""
        connection, theirs = socket.socketpair()
        stack.enter_context(connection)
        (their_in, our_in), (our_out, their_out), (our_err, their_err) = os.pipe(), os.pipe(), os.pipe()
        streams = [open(our_in, "wb", 0), open(our_out, "rb", 0), open(our_err, "rb", 0)]  # noqa: PTH123, SIM115
        for stream in streams:
            stack.enter_context(stream)
        with theirs:
            socket.send_fds(self._control, [b"."], [their_in, their_out, their_err, theirs.fileno()])
        for descriptor in (their_in, their_out, their_err):
            os.close(descriptor)
        connection.sendall(len(request).to_bytes(HEAD) + request)
        return connection, streams


def _read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_READ_AT_START)}


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _number(connection: socket.socket) -> int:
    """Return the next number that whoever watches a run tells."""
    content = connection.recv(HEAD, socket.MSG_WAITALL)
    assert len(content) == HEAD, "the process that has loaded the program ended"
    return int.from_bytes(content, signed=True)


def _communicate(streams: Sequence[IO[bytes]], stdin: str, end: float) -> tuple[str, str]:
    """Write what a run may read, and return what it writes until nobody has its streams any more.

    Raises:
        TimeoutError: that isn't so at that time (of the monotonic clock).
    """
    source, *sinks = streams
    left, written = memoryview(stdin.encode()), dict.fromkeys(sinks, b"")
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_WRITE)
        for sink in sinks:
            selector.register(sink, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.fileobj is source:
                    left = _written(source, left)
                    is_over = not left
                else:
                    part = os.read(key.fd, 65536)
                    written[key.fileobj] += part
                    is_over = not part
                if is_over:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
    return tuple(text.decode().replace("\r\n", "\n").replace("\r", "\n") for text in written.values())


def _written(source: IO[bytes], left: memoryview) -> memoryview:
    """Write as much as goes at once; return what is left, which is nothing where nobody reads."""
    try:
        return left[os.write(source.fileno(), left[: select.PIPE_BUF]) :]
    except BrokenPipeError:
        return left[:0]
