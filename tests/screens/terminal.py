"""A program in a real terminal, tmux, and what its screen holds afterwards."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.patience import LONGEST, until

_ROWS = 120  # more than any screen here has
_END = "\N{END OF PROOF}"  # written below the program's last line
_SETTINGS = (
    "set -g status off",
    "set -g default-terminal tmux-256color",
    "set -g remain-on-exit on",
    "set -g remain-on-exit-format ''",
)


def is_installed() -> bool:
    """Say whether there is a tmux."""
    return shutil.which("tmux") is not None


@dataclass(frozen=True)
class Screen:
    """What a terminal shows when a program has ended.

    Attributes:
        width: its columns.
        rows: each row's text, with the spaces that a program wrote at its end.
        lines: the same with rows put together that the terminal had to break.
        styled: the rows with their colours, as escape sequences.
    """

    width: int
    rows: tuple[str, ...]
    lines: tuple[str, ...]
    styled: tuple[str, ...]


class Tmux:
    """A tmux server of its own; use it as a context manager."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._socket = folder / "tmux"
        self._environment = {**environment, "COLORTERM": "truecolor", "TERM": "xterm-256color"}

    def __enter__(self) -> Self:
        settings = self._socket.with_suffix(".conf")
        settings.write_text("\n".join(_SETTINGS) + "\n")
        self._call("-f", str(settings), "new-session", "-d", "-s", "idle", "sleep 100000")
        return self

    def __exit__(self, *_: object) -> None:
        self._call("kill-server")

    def show(self, command: tuple[str, ...], folder: Path, width: int, answer: str = "") -> Screen:
        """Run a command in `folder` on a screen of `width` columns, answer its question, and return the screen."""
        line = f"{shlex.join(command)}; printf '{_END}\\n'; sleep 100000"
        name = folder.parent.name
        self._call("new-session", "-d", "-s", name, "-x", str(width), "-y", str(_ROWS), "-c", str(folder), line)
        if answer:
            until(lambda: "[y/N" in self._capture(name, "-J"), "the question", LONGEST)
            self._call("send-keys", "-t", name, answer, "Enter")
        until(lambda: _END in self._capture(name), "the end of the program", LONGEST)
        try:
            texts = (self._capture(name, *options).partition(_END)[0] for options in (("-N",), ("-J",), ("-e",)))
            return Screen(width, *(tuple(text.removesuffix("\x1b[0m").splitlines()) for text in texts))
        finally:
            self._call("kill-session", "-t", name)

    def _capture(self, name: str, *options: str) -> str:
        return self._call("capture-pane", "-p", *options, "-t", name)

    def _call(self, *words: str) -> str:
        command = ("tmux", "-u", "-S", str(self._socket), *words)
        return subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout
