"""Made-up secrets, and a search for them that owes nothing to the program's own scrubbing."""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.patience import join

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PROC = Path("/proc")
_AWKWARD = "/+=%\"'\\é"  # every character that one of the encodings has to spell in another way


@dataclass(frozen=True)
class Canaries:
    """The four credential values of one test; each is new, and found nowhere by chance."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str

    @classmethod
    def fresh(cls) -> Canaries:
        return cls(*(f"{secrets.token_hex(12)}{_AWKWARD}{secrets.token_hex(12)}" for _ in fields(cls)))

    def plain(self) -> dict[str, str]:
        """Return the values under the names that a credentials file has for them."""
        return dict(vars(self))

    def document(self, **more: str) -> str:
        """Return the credentials file."""
        return json.dumps(self.plain() | more)

    def variables(self) -> dict[str, str]:
        """Return the four variables."""
        return {f"PROFILECTL_{name.upper()}": value for name, value in self.plain().items()}

    def echo(self) -> str:
        """Return what the rudest of servers would say: every value in every encoding."""
        return " ".join(spell(value) for value in self.plain().values() for spell in ENCODINGS.values())


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODINGS = {
    "raw": str,
    "percent": _percent,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "base64": _base64,
    "repr": lambda text: repr(text.encode())[2:-1],
}


def traces(content: bytes, canaries: Canaries) -> set[str]:
    """Return which values are in the content, and in which encoding; half a value counts as well."""
    folded = content.lower()
    return {
        f"{name} ({encoding})"
        for name, value in canaries.plain().items()
        for encoding, needle in _needles(value)
        if needle in (folded if encoding == "percent" else content)
    }


def _needles(value: str) -> Iterator[tuple[str, bytes]]:
    """Yield what gives a value away: either of its random ends, or those of its awkward middle's spellings."""
    for end in (value[:24], value[-24:]):
        yield "raw", end.encode()  # and so JSON and repr, which leave letters and digits alone
        yield "percent", _percent(end).lower().encode()
        for before in range(3):  # where it may stand in a group of three bytes
            inner = base64.b64encode(bytes(before) + end.encode())
            yield "base64", inner[4 : len(inner) - 4]
    for encoding in ("JSON", "repr"):
        yield encoding, ENCODINGS[encoding](value[20:-20]).encode()


def files_below(*folders: Path) -> Iterator[Path]:
    """Yield every file, links not followed, the compiled modules of Python left out."""
    for folder in folders:
        for place, names, files in os.walk(folder):
            names[:] = [name for name in names if name != "__pycache__"]
            yield from (path for name in files if not (path := Path(place, name)).is_symlink() and path.is_file())


class ProcessWatcher:
    """Somebody else on this machine, who looks at the arguments of every new process all the time."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._before = set(self._processes())
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        join(self._thread)

    @staticmethod
    def _processes() -> Iterable[str]:
        return [one.name for one in _PROC.iterdir() if one.name.isdigit()] if _PROC.is_dir() else []

    def _look(self) -> None:
        while not self._done.wait(0.002):
            for process in self._processes():
                if process not in self._before:
                    self._read(process)

    def _read(self, process: str) -> None:
        try:
            self.seen.add(Path(_PROC, process, "cmdline").read_bytes())
        except OSError:  # it has gone
            return
