"""The program as its users start it: a process of its own, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.cli.local_sandbox import find_token
from profilectl.secret import Credentials, Secret
from tests import schemas
from tests.patience import LONGEST, cut_short, next_line, read_some, until
from tests.preloaded import PROGRAM
from tests.ssh_keys import make_ssh_key
from tests.terminals import start_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.preloaded import Preloaded


@dataclass
class Result:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)

    @property
    def rows(self):
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass
class Desk:
    """A folder with a roster, and the program to be run in it."""

    folder: Path
    preloaded: Preloaded
    env: dict[str, str] = field(default_factory=dict)

    def environment(self):
        return {**os.environ, "TERM": "xterm-256color", **self.env}

    def run(self, *words, stdin="", timeout=120, starter=()):
        environ = self.environment()
        if starter or not self.preloaded.is_for(environ):
            command = [*starter, *PROGRAM, *words]
            streams = {"input": stdin, "capture_output": True, "text": True}
            done = subprocess.run(command, cwd=self.folder, env=environ, **streams, timeout=timeout, check=False)
        else:
            done = self.preloaded.run(words, cwd=self.folder, env=environ, stdin=stdin, timeout=timeout)
        assert "Traceback" not in done.stderr, done.stderr
        schemas.check_output(words, done.stdout)
        return Result(done.returncode, done.stdout, done.stderr)

    def client(self, url):
        """Return a client of the X at `url` with this desk's credentials, for what others do there."""
        names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
        secrets = (Secret(self.env[f"PROFILECTL_{name}"]) for name in names)
        return XClient(Credentials(*secrets, source="test"), Transport(url))

    def start(self, *words):
        return schemas.Process(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def shell(self, line):
        """Run a shell line in which `profilectl` is the program."""
        script = f'profilectl() {{ {sys.executable} -m profilectl "$@"; }}; {line}'
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        schemas.check_output((), done.stdout)
        return Result(done.returncode, done.stdout, done.stderr)

    def watch(self, *words, answers=b"", at_questions=(), ahead=b"", starter=()):
        """Run the program on a pseudo-terminal of its own; return its exit code and all that the screen got.

        The answers are typed at the first question, and what is typed `ahead` before it. What
        `at_questions` holds is called at one yes-or-no question after the other, and returns the answer.
        """
        command = [*starter, *PROGRAM, *words]
        process, terminal = start_on_terminal(command, cwd=self.folder, env=self.environment())
        screen, waiting = b"", list(at_questions)
        os.write(terminal, ahead)
        try:
            with contextlib.suppress(OSError):  # Linux reports the end of a pseudo-terminal as an error
                while part := read_some(terminal, screen):
                    screen += part
                    if answers and b"?" in screen and screen.endswith(b": "):  # what is typed earlier may be lost
                        os.write(terminal, answers)
                        answers = b""
                    if waiting and screen.count(b"[y/N") > len(at_questions) - len(waiting):
                        os.write(terminal, waiting.pop(0)())
        except BaseException:
            process.kill()
            raise
        finally:
            os.close(terminal)  # which also ends whoever still reads from it
            process.wait()
        shown = screen.decode().replace("\r\n", "\n")
        schemas.check_output((), shown)
        return process.returncode, shown

    def serve(self, *words):
        """Start `sandbox serve` and put its settings into the desk's environment."""
        process = self.start("sandbox", "serve", "--port", "0", *words)
        settings = {}
        while len(settings) < 6:
            line = next_line(process)
            assert line, process.communicate(timeout=LONGEST)
            if line.startswith("export "):
                name, _, value = shlex.split(line)[1].partition("=")  # as a shell reads it
                settings[name] = value
        self.env |= settings
        url = settings["PROFILECTL_API_URL"]
        return process, Served(url, find_token(self.environment(), url))

    @staticmethod
    def end(process):
        process.send_signal(signal.SIGTERM)
        with cut_short(process):
            process.communicate(timeout=LONGEST)

    def write(self, *agents, policy='settle_after = "0s"', brands=None):
        """Write a roster of (key, name) pairs, or of (key, name, extra lines)."""
        text = "version = 1\n"
        for key, handle in (brands or {"acme": "acmecare"}).items():
            text += f'[brands.{key}]\nhandle = "{handle}"\n'
        text += f'[policy]\n{policy}\n[defaults]\nkind = "human"\navatar = "avatars/face.png"\n'
        for key, name, *more in agents:
            text += f"[agents.{key}]\nname = {json.dumps(name, ensure_ascii=False)}\n" + "".join(
                f"{line}\n" for line in more
            )
        (self.folder / "roster.toml").write_text(text, encoding="utf-8")
        return self

    def draw(self, name, size=(64, 64), colour=(20, 120, 200)):
        path = self.folder / "avatars" / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path


@pytest.fixture
def desk(tmp_path, preloaded):
    """A folder with one picture and no roster yet, outside of any sandbox."""
    one = Desk(tmp_path, preloaded)
    one.draw("face.png")
    return one


@pytest.fixture
def signing_desk(desk, tmp_path):
    """A desk with a key of ssh and a folder that somebody else keeps, and its own state."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    make_ssh_key(home / ".ssh" / "id_ed25519")
    desk.anchor = tmp_path / "anchor"
    desk.anchor.mkdir()
    desk.env |= {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PROFILECTL_AUDIT_ANCHOR": str(desk.anchor),
    }
    return desk


@pytest.fixture
def powerless(require):
    """Return how to start the program so that a file's mode holds for it, although it may be root who tests."""
    if os.geteuid() != 0:
        return []
    require("setpriv", shutil.which("setpriv") is not None, "setpriv isn't installed")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@dataclass
class Served:
    """A sandbox in another process, and its control plane."""

    url: str
    token: str

    def ask(self, method, what, body=None):
        return json.loads(self.read(f"/_sandbox/{what}", None if body is None else json.dumps(body), method))

    def read(self, path, body=None, method="GET"):
        """Return what is at a path, pages included."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", body and body.encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=LONGEST) as answer:
            return answer.read().decode()

    def fault(self, **rule):
        self.ask("POST", "faults", rule)

    def live(self):
        return sorted(one["name"] for one in self.ask("GET", "state")["profiles"] if one["is_live"])

    def wait_for(self, condition, seconds=LONGEST):
        """Look at the truth until it is as expected."""
        until(condition, "the sandbox to get there", seconds)


@pytest.fixture
def served(desk):
    """`profilectl sandbox serve` in another process, with the desk's environment pointing at it."""
    process, one = desk.serve("--handle", "acmecare", "--generous")
    yield one
    desk.end(process)


@pytest.fixture(params=["served", "in process"])
def any_x(request, desk):
    """Each of the two ways to an X of one's own."""
    if request.param == "served":
        request.getfixturevalue("served")
    else:
        desk.env["PROFILECTL_SANDBOX"] = "1"
    return request.param
