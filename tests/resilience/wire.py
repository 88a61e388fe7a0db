"""A stretch of wire between a program and a server on loopback, which can be cut, frozen, or lose a commit's answer.

A wire may begin in a network namespace, whose loopback device nothing else crosses: then the program in there reaches
the server at the same address as everybody, and it is the kernel that loses what is under way when the link is cut.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import threading
from typing import Self

from tests.patience import join

_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"  # CommandComplete, PostgreSQL's protocol 3.0
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, sched.h
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_PAUSE = 0.05  # seconds


def why_no_namespaces() -> str | None:
    """Return why this machine can't give a program a network of its own, None when it can."""
    if os.geteuid() != 0:
        return "only root may make a network namespace beside its own"
    missing = [name for name in ("nsenter", "unshare", "ip") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    result = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False, timeout=60)
    return None if result.returncode == 0 else "network namespaces are forbidden"


class Network:
    """A network namespace with nothing but a loopback device, there as long as the ``with`` block."""

    def __enter__(self) -> Self:
        self._descriptor = -1
        self._troubles: list[BaseException] = []
        maker = threading.Thread(target=self._make, daemon=True)
        maker.start()
        join(maker)
        if self._troubles:
            raise self._troubles[0]
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Return what a process has to inherit so that `entering` works in it."""
        return (self._descriptor,)

    def entering(self) -> list[str]:
        """Return what a command begins with so that it runs in here."""
        return ["nsenter", f"--net=/proc/self/fd/{self._descriptor}", "--"]

    def set_link(self, state: str) -> None:
        """Bring the loopback device up or down."""
        command = [*self.entering(), "ip", "link", "set", "lo", state]
        subprocess.run(command, check=True, timeout=60, pass_fds=self.descriptors)

    def listen(self, port: int) -> socket.socket:
        """Return a socket that listens in here; it works from everywhere."""
        listeners: list[socket.socket] = []

        def make() -> None:
            _call("setns", self._descriptor, _NEW_NETWORK)
            listeners.append(socket.create_server(("127.0.0.1", port), backlog=512))

        maker = threading.Thread(target=make, daemon=True)
        maker.start()
        join(maker)
        return listeners[0]

    def _make(self) -> None:
        """Leave this thread's network for a new one, which then lives by its descriptor."""
        try:
            _call("unshare", _NEW_NETWORK)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=60)
            self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            self._troubles.append(error)


def _call(name: str, *values: int) -> None:
    """Call a function of the C library that concerns this thread alone."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*values) != 0:
        raise OSError(ctypes.get_errno(), name)


class Wire:
    """Hands bytes on between whoever connects to `port` and the server at `target`, inside of a ``with`` block.

    Attributes:
        port: of 127.0.0.1, or of that of the network.
        target: the port of the server, which may be another one later, as after a failover.
        loses_commits: how many of the next commits' answers get lost, each with its connection.
        lost: how many have.
    """

    def __init__(self, target: int, *, network: Network | None = None) -> None:
        self.target = target
        self.port = target if network is not None else 0
        self.loses_commits = 0
        self.lost = 0
        self._network = network
        self._is_closed = False
        self._open = threading.Event()  # clear while nothing comes through
        self._open.set()
        self._is_refusing = False
        self._mutex = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._pumps: list[threading.Thread] = []

    def __enter__(self) -> Self:
        if self._network is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
            self.port = self._listener.getsockname()[1]
        else:
            self._listener = self._network.listen(self.port)
        self._listener.settimeout(_PAUSE)
        self._acceptor = threading.Thread(target=self._accept, daemon=True, name="wire")
        self._acceptor.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_closed = True
        self._open.set()
        self.reset()
        join(self._acceptor)
        self.reset()  # what was accepted meanwhile
        join(*self._pumps)
        self._listener.close()

    def cut(self) -> None:
        """Break what is connected, and let nobody connect until `mend`."""
        self._is_refusing = True
        self.reset()

    def freeze(self) -> None:
        """Hand nothing on until `mend`; connections stay as they are."""
        self._open.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._is_refusing = False
        self._open.set()

    def reset(self) -> None:
        """Break what is connected."""
        with self._mutex:
            pairs = list(self._pairs)
        for pair in pairs:
            self._break(*pair)

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            client.settimeout(None)
            try:
                server = None if self._is_refusing else socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:
                server = None
            if server is None:
                _close_hard(client)
                continue
            server.settimeout(None)
            self._join_up(client, server)

    def _join_up(self, client: socket.socket, server: socket.socket) -> None:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (client, server)
        with self._mutex:
            self._pairs.add(pair)
        pumps = [
            threading.Thread(target=self._pump, args=(pair,), kwargs={"answers": answers}, daemon=True, name="wire")
            for answers in (False, True)
        ]
        self._pumps = [pump for pump in self._pumps if pump.is_alive()] + pumps
        for pump in pumps:
            pump.start()

    def _pump(self, pair: tuple[socket.socket, socket.socket], *, answers: bool) -> None:
        client, server = pair
        source, sink = (server, client) if answers else (client, server)
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                self._open.wait()
                if answers and self.loses_commits and _COMMITTED in content:
                    self.loses_commits -= 1
                    self.lost += 1
                    break
                sink.sendall(content)
        self._break(*pair)
        with self._mutex:
            self._pairs.discard(pair)
        source.close()  # each pump closes what only it reads

    def _break(self, *ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _close_hard(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    client.close()
