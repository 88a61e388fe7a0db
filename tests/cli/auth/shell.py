"""A shell with profilectl in it, pointed at a sandbox, and a person's terminal; neither lets a secret pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests import schemas
from tests.patience import LONGEST, read_some

VALUES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
ROSTER = """version = 1
[brands.acme]
handle = "AcmeCare"
[agents.alice]
name = "Alice"
kind = "human"
avatar = "alice.png"
"""
SECOND_BRAND = '[brands.beta]\nhandle = "BetaCare"\n'
_ON_ITS_OWN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Shell:
    """Runs profilectl in a folder of its own, and never lets a secret pass."""

    def __init__(self, folder, server, brand, preloaded):
        self.folder = folder
        self.preloaded = preloaded
        self.server = server
        self.host = f"127.0.0.1:{server.port}"
        self.world = server.app.world
        self.brand = brand
        self.environ = {**os.environ, "PROFILECTL_API_URL": server.url}

    def token(self, **changes):
        return json.dumps({name: getattr(self.brand, name) for name in VALUES} | changes)

    def run(self, *words, stdin="", **variables):
        done = self.run_module("profilectl", *words, stdin=stdin, **variables)
        schemas.check_output(words, done.stdout)
        return done

    def run_module(self, module, *words, stdin="", **variables):
        """Run the program, or one around it in this shell's folder, to its end."""
        environ = self.environ | variables
        if self.preloaded.is_for(environ):
            done = self.preloaded.run(words, cwd=self.folder, env=environ, stdin=stdin, module=module)
        else:
            command = [sys.executable, "-m", module, *words]
            streams = {"input": stdin, "capture_output": True, "text": True}
            done = subprocess.run(command, cwd=self.folder, env=environ, **streams, timeout=60, check=False)
        self.check(done.stdout + done.stderr)
        return done

    def log_in(self):
        done = self.run("auth", "login", "--with-token", stdin=self.token())
        assert done.returncode == 0, done.stderr

    def accounts(self, *words, **variables):
        document = json.loads(self.run("auth", *words, "--json", **variables).stdout)
        assert document["schema"] == "profilectl.auth/1"
        return document["accounts"]

    def check(self, text):
        """No output shows a secret."""
        secrets = [getattr(self.brand, name) for name in VALUES]
        assert not [value for value in secrets if value in text]
        assert "Traceback" not in text


class Terminal:
    """A person's terminal with profilectl on it; waits for words, types answers."""

    def __init__(self, shell, *words):
        self.shell = shell
        self.screen = ""
        self._ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_ITS_OWN_TERMINAL, sys.executable, "-m", "profilectl", *words],
            cwd=shell.folder,
            env=shell.environ | {"TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(LONGEST)
        os.close(self._ours)

    def wait_for(self, words):
        while words not in self.screen:
            assert self._read(), f"never showed {words!r}: {self.screen}"
        return self.screen

    def answer(self, question, text):
        self.wait_for(question)
        os.write(self._ours, text.encode())

    def end(self):
        """Return the exit status, once everything was read."""
        while self._read():
            pass
        self.shell.check(self.screen)
        return self.process.wait(LONGEST)

    def _read(self):
        try:
            text = read_some(self._ours, self.screen)
        except OSError:  # how a terminal says on Linux that everybody has gone
            return False
        self.screen += text.decode()
        return bool(text)
