"""A Python that has loaded the program and waits: for each request it forks, and the fork becomes one run of it.

`tests.preloaded` starts it as ``python preloaded_server.py DESCRIPTOR MODULE...``. The descriptor is that of a socket
from which each byte brings four descriptors with it: three streams, and a socket on which the request is told and how
it has ended. Its end is the end of this process.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
import time
from importlib import import_module
from typing import Any

HEAD = 4  # bytes, which tell how long a request is and how a run has ended


def wait(control: socket.socket) -> list[int]:
    """Return the descriptors of a request in a fork of this process, and never in this process itself."""
    while True:
        byte, descriptors, _, _ = socket.recv_fds(control, 1, 4)
        if not byte:
            os._exit(0)  # whoever started us has gone
        if os.fork() == 0:
            control.close()
            return descriptors
        for descriptor in descriptors:
            os.close(descriptor)


def receive(connection: socket.socket) -> dict[str, Any]:
    """Return what is to be run."""
    with connection.makefile("rb") as reader:
        length = int.from_bytes(reader.read(HEAD))
        request: dict[str, Any] = json.loads(reader.read(length))
        return request


def watch(connection: socket.socket, pid: int) -> None:
    """Tell the id of a run, and how it has ended once it has."""
    connection.sendall(pid.to_bytes(HEAD))
    _, status = os.waitpid(pid, 0)
    connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(HEAD, signed=True))
    os._exit(0)


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Give this process what a new one would have: streams, folder, environment, umask, signals, `sys.path`."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as -m has it
    sys.argv[1:] = request["words"]
    sys.stdin = sys.__stdin__ = opened(sys.stdin, 0)
    sys.stdout = sys.__stdout__ = opened(sys.stdout, 1)
    sys.stderr = sys.__stderr__ = opened(sys.stderr, 2)


def opened(stream: Any, number: int) -> Any:
    """Return a stream as Python makes it at its start (`create_stdio` in pylifecycle.c), of the same encoding."""
    is_unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    buffer = open(number, stream.mode + "b", 0 if is_unbuffered and number else -1, closefd=False)  # noqa: SIM115
    getattr(buffer, "raw", buffer).name = stream.name
    is_by_line = not is_unbuffered and (buffer.isatty() or number == 2)
    text = io.TextIOWrapper(buffer, stream.encoding, stream.errors, "\n", is_by_line, is_unbuffered)
    text.mode = stream.mode
    return text


def leave(code: object) -> None:
    """End as an interpreter does, but for taking apart all that was loaded: 0.03 s that tell nothing of a run.

    Return where there is more to it: a code that is no number, or output that can't be written.
    """
    if not isinstance(code, int):
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code & 0xFF)


def main() -> None:
    """Load the modules, then be the program as often as somebody asks, each time in a process of its own."""
    sys.path.pop(0)  # the folder of the tests, whose packages are called like others
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        import_module(name)
    if threading.active_count() > 1:
        raise SystemExit("a module that is loaded ahead starts a thread, so no fork is safe")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the runs
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who watches a run
    gc.collect()
    gc.freeze()  # a search for cycles in a fork would copy every page
    *streams, descriptor = wait(control)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection = socket.socket(fileno=descriptor)
    request = receive(connection)
    if pid := os.fork():
        for stream in streams:
            os.close(stream)
        watch(connection, pid)
    connection.close()
    become(request, streams)
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        leave(ending.code)
        raise


if __name__ == "__main__":
    main()
