"""What the shells are told at TAB: names from a cache beside the ledger, read by a process that imports nothing.

This runs at every TAB behind `--as` and its like, so it lives on ``os``, which Python has loaded before it begins;
`names_cache` and the rooms it needs are loaded only when the cache is older than what it was made from.

The cache is UTF-8 text: `TITLE`; the settings that say where the sources are; one line a source, ``stamp<TAB>path``,
the roster first; an empty line; then one row a name, ``kind<TAB>brand<TAB>name<TAB>description``, where the kind of a
retired profile is ``profiles AGENT``, for it can be adopted only by the agent whose it was. The cache may have come
with somebody's repository, so nothing in it is believed: it must be a private file of ours, as the ledger must; a name
that could be anything but a plain word isn't offered; and no path of it is looked at unless the roster's stamp is
right, which holds a time that only this machine's kernel gives.
"""

# Loading pathlib would take longer than the whole answer.
# ruff: noqa: PTH100, PTH111, PTH116, PTH118, PTH120

import os

TYPE_CHECKING = False  # typing's own, which costs as much as the whole answer
if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "profilectl names 2"
CACHE = "names.tsv"
KINDS = ("agents", "brands", "profiles")
SOURCES = 4
"""The roster, the config file, the ledger and its write-ahead log."""

ABSENT = "-"
"""The stamp of a file that isn't there."""

_LARGEST = 50_000_000  # bytes: more than a hundred thousand agents in several brands
_LONGEST = 200  # code points of a description
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_OPEN_TO_OTHERS = 0o077


class Place:
    """Where the names are that a command line speaks of.

    Attributes:
        roster: absolute path.
        folder: the roster's.
        folders: that hold the cache, the lower one last, as names: ``.profilectl``, and perhaps ``sandbox``.
        uses_sandbox: whether the ledger is the sandbox's.
        brands: the brands named so far, none for all.
    """

    def __init__(self, words: "Sequence[str]") -> None:
        """Read the words of a line so far, without the program's; what is unknown is passed over."""
        rosters, brands = _values("--roster", words), _values("--brand", words)
        roster = os.path.expanduser(rosters[-1] if rosters else os.environ.get("PROFILECTL_ROSTER") or "roster.toml")
        default = os.environ.get("PROFILECTL_BRAND")
        self.roster = os.path.abspath(roster)
        self.folder = os.path.dirname(self.roster)
        self.brands = brands or ([default] if default else [])
        self.uses_sandbox = "--sandbox" in words or os.environ.get("PROFILECTL_SANDBOX") == "1"
        self.folders = [".profilectl", "sandbox"] if self.uses_sandbox else [".profilectl"]

    @property
    def cache(self) -> str:
        """The cache's path."""
        return os.path.join(self.folder, *self.folders, CACHE)


def answer(words: "Sequence[str]") -> None:
    """Print the names of a kind, each with a tab and its description; whatever is wrong, say nothing and never fail.

    Args:
        words: one of `KINDS`, then the words of the line so far.
    """
    try:
        if words and words[0] in KINDS:
            place = Place(words[1:])
            found = candidates(rows(place), words[0], place.brands, words[1:])
            _write("".join([f"{name}\t{told}\n" for name, told in found.items()]).encode())
    except (Exception, KeyboardInterrupt):  # noqa: BLE001, S110 - a half-typed line is no place for errors: the command tells them
        pass


def rows(place: Place) -> "Sequence[str]":
    """Return the rows of the cache, or those that it should have; of a roster that is gone, the last known ones."""
    lines = read(place.cache)
    is_cache = is_of(place, lines)
    known = lines[SOURCES + 3 :] if is_cache else []
    if (is_cache and is_fresh(lines)) or stamp(place.roster) == ABSENT:
        return known
    from profilectl.completion.names_cache import make

    return make(place, known)


def read(path: str) -> list[str]:
    """Return the lines of a cache; none when it isn't a private regular file of this user."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return []
    try:
        status = os.fstat(descriptor)
        is_ours = status.st_uid == os.geteuid() and not status.st_mode & _OPEN_TO_OTHERS
        is_file = status.st_mode & 0o170000 == 0o100000  # S_IFREG
        content = os.read(descriptor, status.st_size) if is_ours and is_file and status.st_size <= _LARGEST else b""
    finally:
        os.close(descriptor)
    return content.decode("utf-8", "surrogateescape").split("\n")


def is_of(place: Place, lines: "Sequence[str]") -> bool:
    """Say whether the lines are a cache of this roster."""
    is_cache = len(lines) >= SOURCES + 3 and lines[0] == TITLE and not lines[SOURCES + 2]
    return is_cache and lines[2].partition("\t")[2] == place.roster


def is_fresh(lines: "Sequence[str]") -> bool:
    """Say whether the same sources are meant as when the cache was made, and none has changed since."""
    stamps = (line.partition("\t") for line in lines[2 : SOURCES + 2])
    # In their order: a cache that knows the roster's stamp was made here, so its other paths are ours.
    return lines[1] == settings() and all(known == stamp(path) for known, _, path in stamps)


def settings() -> str:
    """Return, on one line, what decides where ledger and config file are; never a URL, which may hold a password."""
    ledger = os.environ.get("PROFILECTL_LEDGER") or ""
    path = "://" if "://" in ledger else ledger and os.path.abspath(ledger)
    return ascii((path, os.environ.get("XDG_CONFIG_HOME"), os.environ.get("HOME")))


def stamp(path: str) -> str:
    """Return what changes whenever a file does; the time of its last change of state can't be forged."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ABSENT
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def candidates(rows: "Sequence[str]", kind: str, brands: "Sequence[str]", words: "Sequence[str]") -> dict[str, str]:
    """Return the names of a kind, each with its description; of these brands where any are given.

    Args:
        rows: of the cache.
        kind: one of `KINDS`.
        brands: the brands named so far, none for all.
        words: of the line so far; behind ``adopt`` and an agent, the retired profiles of others are left out.
    """
    found: dict[str, str] = {}
    for row in rows:
        fields = row.split("\t")
        row_kind, _, agent = fields[0].partition(" ")
        if row_kind != kind or len(fields) != 4 or (agent and "adopt" in words and agent not in words):
            continue
        _, brand, name, told = fields
        if (not brands or brand in brands or kind == "brands") and name not in found and is_plain(name):
            found[name] = told if told.isprintable() and len(told) <= _LONGEST else ""
    return found


def is_plain(name: str) -> bool:
    """Say whether no shell could take a word for anything but a name."""
    return bool(name) and name[0] not in ".-" and not name.strip(_PLAIN)


def _values(option: str, words: "Sequence[str]") -> list[str]:
    """Return what an option was given, as ``--option value`` or ``--option=value``."""
    apart = [words[at + 1] for at, word in enumerate(words[:-1]) if word == option]
    joined = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    return apart + joined


def _write(content: bytes) -> None:
    while content:
        content = content[os.write(1, content) :]
