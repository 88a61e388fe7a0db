"""One scene, in a network namespace of its own: the link is cut while a create or a message is on its way.

``python -m tests.api.link_cut CALL LOST SECONDS FOLDER`` prints what became of it as JSON. CALL is ``create`` or
``message``; LOST is ``request``, whose bytes stay in the kernel, or ``answer``. The link is cut for SECONDS, then the
command is run again, and the kernel is given the time in which it would repeat what it still had to send.

With ``process`` for LOST it isn't the link but the process that stands still, between its promise and the request; it
goes on when the command has been run again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.world import World

PATHS = {"create": "/1.1/custom_profiles/new.json", "message": "/1.1/direct_messages/events/new.json"}
# The kernel's attempts are 1.1 s apart at first, then each twice as far as the one before, as on a slow network: the
# seventh comes 69 s after the first, when a link that was cut for 62 s is back and the command has been run again.
_SHORTEST_REPEAT = "1100ms"
_LONGEST_REPEAT = 20.0  # seconds until that attempt has surely come
_ROSTER = """version = 1
[brands.acme]
handle = "acmecare"
[policy]
settle_after = "2s"
[defaults]
avatar = "a.png"
kind = "human"
[agents.alice]
name = "Alice F."
"""

# Cuts the link just before the request's first byte is handed to the kernel, which then keeps it.
_CUTTING = """
import subprocess, sys
from httpcore._backends.sync import SyncStream
from profilectl.cli.main import run
write = SyncStream.write
def cut(self, buffer, timeout=None):
    if buffer.startswith(b"POST " + sys.argv[1].encode()):
        subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
        open("cut", "w").close()
    write(self, buffer, timeout)
SyncStream.write = cut
sys.exit(run(sys.argv[2:]))
"""
_STOPPING = """
import os, signal, sys
from profilectl.api.connections import Stream
from profilectl.cli.main import run
write = Stream.write
def stop(self, buffer, timeout=None):
    if buffer.startswith(b"POST " + sys.argv[1].encode()) and not os.path.exists("cut"):
        with open("cut", "w") as marker:
            marker.write(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGSTOP)
    write(self, buffer, timeout)
Stream.write = stop
sys.exit(run(sys.argv[2:]))
"""
_PLAIN = "import sys; from profilectl.cli.main import run; sys.exit(run(sys.argv[2:]))"


def set_link(state: str) -> None:
    """Bring the loopback device up or down."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def slow_down() -> None:
    """Let the kernel wait for longer before it repeats what isn't acknowledged."""
    route = ["dev", "lo", "proto", "kernel", "scope", "host", "src", "127.0.0.1", "table", "local"]
    for place in ("127.0.0.0/8", "127.0.0.1"):
        command = ["ip", "route", "change", "local", place, *route, "rto_min", _SHORTEST_REPEAT]
        subprocess.run(command, check=True)


def unsent(port: int) -> int:
    """Return the bytes that the kernel still wants to send to a port, over whichever connection of this namespace."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    # what X itself has queued, such as the end of a connection that fell silent, doesn't count
    return sum(int(row[4].partition(":")[0], 16) for row in rows if int(row[2].partition(":")[2], 16) == port)


class Cutting:
    """An app that loses its first answer to a call on the way."""

    def __init__(self, app: Any, path: str, marker: Path) -> None:
        self._app, self._path, self._marker = app, path, marker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        answer = self._app(environ, start_response)
        if environ["PATH_INFO"] == self._path and not self._marker.exists():
            set_link("down")
            self._marker.touch()
        return answer


def play(call: str, lost: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Return the exit codes, the bytes that were left when the link came back, and how many X has in the end."""
    set_link("up")
    slow_down()
    Image.new("RGB", (40, 40), "navy").save(folder / "a.png")
    (folder / "roster.toml").write_text(_ROSTER, encoding="utf-8")
    marker = folder / "cut"
    with World() as world:
        account = world.ensure_brand("acmecare")
        customer = world.ensure_customer("customer")
        app = SandboxApp(world)
        with SandboxServer(Cutting(app, PATHS[call], marker) if lost == "answer" else app) as server:
            environ = {
                "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": str(folder),
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "PROFILECTL_API_URL": server.url,
                "PROFILECTL_LEDGER": str(folder / "ledger.db"),
                "PROFILECTL_CONSUMER_KEY": account.consumer_key,
                "PROFILECTL_CONSUMER_SECRET": account.consumer_secret,
                "PROFILECTL_ACCESS_TOKEN": account.access_token,
                "PROFILECTL_ACCESS_TOKEN_SECRET": account.access_token_secret,
            }

            def run(script: str, *words: str) -> int:
                command = [sys.executable, "-c", script, PATHS[call], *words]
                result = subprocess.run(
                    command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=300
                )
                said.append(result.stderr)
                return result.returncode

            said: list[str] = []
            words = ["sync", "--yes"]
            if call == "message":
                run(_PLAIN, *words)
                words = ["send", "--as", "alice", "--to", customer.user_id, "--key", "k1", "--human-wrote-this", "Hi"]
            codes: list[int] = []
            script = {"request": _CUTTING, "answer": _PLAIN, "process": _STOPPING}[lost]
            first = threading.Thread(target=lambda: codes.append(run(script, *words)))
            first.start()
            while first.is_alive() and not marker.exists():
                time.sleep(0.05)
            back_at = time.monotonic() + seconds
            if lost != "process":
                first.join()
            time.sleep(max(0.0, back_at - time.monotonic()))
            left = unsent(urlsplit(server.url).port or 0) if lost == "request" else 0
            set_link("up")
            if lost == "process":  # a sync holds the lock, so a second one leaves
                meanwhile = run(_PLAIN, *words, *(["--max-wait", "1s"] if call == "create" else []))
                os.kill(int(marker.read_text(encoding="ascii")), signal.SIGCONT)
                first.join()
                assert meanwhile in {0, 75}, said
            codes.append(run(_PLAIN, *words))
            if left:
                time.sleep(_LONGEST_REPEAT)
            profiles, messages = world.profiles.all(account.user_id), world.messages.all()
    return {
        "codes": codes,
        "unsent": left,
        "profiles": len(profiles),
        "messages": len(messages),
        "was_cut": marker.exists(),
        "said": said,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))))
