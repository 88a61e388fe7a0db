"""The real shells, each in a small folder; only a test that puts one there has a program in its PATH."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent.parent / "completions"
LONGEST_WAIT = 20  # seconds: a shell on a busy machine, never reached when all is well

# `profilectl` becomes a function that shows its words, and TAB inserts all candidates into the line.
STUB = """
profilectl() { printf '\\n'; printf '<%s>' "$@"; printf '\\n[%s]\\n' end; }
PS1='ready> '
"""
PROGRAM = """#!/bin/sh
echo "$@" >>{starts}
[ "$1" != __complete ] || exec {python} -m profilectl "$@"
printf '\\n'; printf '<%s>' "$@"; printf '\\n[%s]\\n' end
"""
BASH_SET_UP = """
bind '"\\C-i": insert-completions'
"""
ZSH_SET_UP = """
fpath+=~
autoload -Uz compinit && compinit -D -u
unsetopt prompt_sp
"""
ZSH_INSERTS = """
zle -C everything complete-word _generic
bindkey '^I' everything
zstyle ':completion:everything:*' completer _all_matches _complete
zstyle ':completion:everything:*' insert true
"""


def take_terminal():
    """Make standard input the controlling terminal of this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """An interactive shell on a pseudo-terminal of its own, whose PATH is one folder."""

    def __init__(self, arguments, folder, home, path):
        self.seen = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        environment = {"PATH": str(path), "HOME": str(home), "ZDOTDIR": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - a system call and no locks: safe among threads
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(LONGEST_WAIT)
        os.close(self.master)

    def wait_for(self, text):
        """Return what the shell wrote up to `text`."""
        deadline = time.monotonic() + LONGEST_WAIT
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.master, 65536).decode()
        before, self.seen = self.seen.split(text, 1)
        return before

    def enter(self, keys):
        self.wait_for("ready> ")
        os.write(self.master, keys.encode())

    def words(self, line):
        """Return the words that a line has after TAB."""
        self.enter(f"{line}\t\r")
        return re.findall(r"<(.*?)>", self.wait_for("[end]").splitlines()[-1])


class Shells:
    """Completes a line in one of the shells, in a folder with three files."""

    def __init__(self, folder, require):
        self.folder = folder / "work"
        self.home = folder / "home"
        self.programs = folder / "programs"
        self.starts = folder / "starts"
        self.require = require
        self.home.mkdir()
        self.folder.mkdir()
        self.programs.mkdir()
        for name in ("roster.toml", "rosette.txt", "other"):
            (self.folder / name).touch()

    def put_program(self, folder=None):
        """Put the program into a folder, by default the one in PATH.

        It answers at TAB as the real one does, otherwise it shows its words; each start becomes a line of `starts`.
        """
        program = (folder or self.programs) / "profilectl"
        program.write_text(PROGRAM.format(starts=self.starts, python=sys.executable))
        program.chmod(0o755)

    def find(self, name):
        self.require("shells", shutil.which(name) is not None, f"{name} isn't installed")
        return shutil.which(name)

    def open(self, arguments):
        return Terminal(arguments, self.folder, self.home, self.programs)

    def open_bash(self):
        settings = self.home / ".bashrc"
        settings.write_text(f"{STUB}{BASH_SET_UP}source {SCRIPTS}/profilectl.bash\n")
        return self.open([self.find("bash"), "--noprofile", "--rcfile", settings, "-i"])

    def open_zsh(self, settings):
        """Open a zsh that looks for functions in its home."""
        (self.home / ".zshrc").write_text(f"{STUB}{ZSH_SET_UP}{settings}\n")
        return self.open([self.find("zsh"), "-d", "-i"])

    def bash(self, line):
        with self.open_bash() as terminal:
            return terminal.words(line)

    def zsh(self, line):
        shutil.copy(SCRIPTS / "_profilectl", self.home)
        with self.open_zsh(ZSH_INSERTS) as terminal:
            return terminal.words(line)

    def sourced_zsh(self, line):
        with self.open_zsh(f"{ZSH_INSERTS}source {SCRIPTS}/_profilectl") as terminal:
            return terminal.words(line)

    def fish(self, line):
        return [candidate.split("\t")[0] for candidate in self.fish_lines_of(line)]

    def fish_lines_of(self, line):
        return self.fish_lines(SCRIPTS / "profilectl.fish", line)

    def fish_lines(self, script, line):
        """Return the candidates that fish offers, each with a tab and its description."""
        command = [self.find("fish"), "--no-config", "-c", f"source {script}; complete -C '{line}'"]
        environment = {"PATH": str(self.programs), "HOME": str(self.home), "LANG": "C.UTF-8"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True, timeout=LONGEST_WAIT
        )
        assert "" == done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def shells(tmp_path, require):
    return Shells(tmp_path, require)


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(shells, request):
    """Hand out the function that returns the candidates of a line."""

    def candidates(line):
        before = [] if request.param == "fish" else line.split(" ")[1:-1]  # the others insert into the line
        words = getattr(shells, request.param)(line)
        assert before == words[: len(before)]
        return set(words[len(before) :])

    return candidates
