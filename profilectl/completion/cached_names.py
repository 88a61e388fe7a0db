"""What the shells ask for at TAB: names from a cache, printed by a process that imports next to nothing.

The cache is UTF-8 text: `TITLE`; the settings that say where the sources are; one line a source, ``stamp<TAB>path``,
the roster first; an empty line; then one row a name, ``kind<TAB>brand<TAB>name<TAB>description``, where the kind of a
retired profile is ``profiles AGENT``, as it can be adopted only by the agent whose it was.
"""

# `os` is loaded before Python begins; pathlib would take longer than the whole answer. `roster_names` and what it needs
# are loaded only when the cache is older than its sources.
# ruff: noqa: PTH100, PTH111, PTH116

import os

from profilectl.system.cache import cache_file, read_cache, write_cache

TYPE_CHECKING = False  # typing's own, which costs as much as the whole answer
if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "profilectl names 4"
KINDS = ("agents", "brands", "profiles", "customers")
SOURCES = 4  # the roster, the config file, the ledger and its write-ahead log
ABSENT = "-"  # the stamp of a file that isn't there
_POLICY = "/etc/profilectl/policy.toml"  # may name the ledger; as `access.policy_file` has it, which isn't loaded here
_LARGEST = 50_000_000  # bytes: more than a hundred thousand agents in several brands
_LONGEST = 200  # code points of a description
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


class LineOptions:
    """What a half-typed line says about the names that are to be offered."""

    def __init__(self, words: "Sequence[str]") -> None:
        """Read the words of a line so far, without the program's; what is unknown is passed over."""
        # No Struct: importing msgspec would cost more than the whole answer.
        rosters, brands = _values("--roster", words), _values("--brand", words)
        default = os.environ.get("PROFILECTL_BRAND")
        roster = rosters[-1] if rosters else os.environ.get("PROFILECTL_ROSTER") or "roster.toml"
        self.roster = os.path.abspath(os.path.expanduser(roster))
        self.brands = brands or ([default] if default else [])  # none for all
        self.uses_sandbox = "--sandbox" in words or os.environ.get("PROFILECTL_SANDBOX") == "1"
        self.cache = cache_file(self.roster, "sandbox.names" if self.uses_sandbox else "names")


def answer(words: "Sequence[str]") -> None:
    """Print the names of a kind with their descriptions; `words` are one of `KINDS`, then those of the line so far."""
    try:
        if words and words[0] in KINDS:
            line = LineOptions(words[1:])
            names = candidates(rows(line), words[0], line.brands, words[1:])
            content = "".join([f"{name}\t{description}\n" for name, description in names.items()]).encode()
            while content:
                content = content[os.write(1, content) :]
    except (Exception, KeyboardInterrupt):  # noqa: BLE001, S110 - the command will report it: at TAB it would spoil the line
        pass


def rows(line: LineOptions) -> "Sequence[str]":
    """Return the rows of the cache, or those that it should have; of a roster that is gone, the last known ones."""
    lines = read_cache(line.cache, _LARGEST).decode("utf-8", "surrogateescape").split("\n")
    is_cache = len(lines) >= SOURCES + 3 and lines[0] == TITLE and not lines[SOURCES + 2]
    is_of_roster = is_cache and lines[2].partition("\t")[2] == line.roster
    known = lines[SOURCES + 3 :] if is_of_roster else []
    # No other path of a cache is looked at unless the roster's stamp is right, which holds a time of the kernel's.
    if (is_of_roster and is_fresh(lines)) or stamp(line.roster) == ABSENT:
        return known
    return made_anew(line, known)


def made_anew(line: LineOptions, known: "Sequence[str]") -> "Sequence[str]":
    """Return the rows as roster and ledger are now, and keep them; `known` are those of an older cache."""
    from profilectl.completion.roster_names import ledger_path, read_names
    from profilectl.config import config_path

    # Each source is stamped before it is read, to miss no change.
    sources = [f"{stamp(path)}\t{path}" for path in (line.roster, str(config_path()))]
    ledger = ledger_path(line.roster, uses_sandbox=line.uses_sandbox)
    sources += [f"{stamp(path)}\t{path}" for path in (ledger, ledger and f"{ledger}-wal")]
    names, has_errors = read_names(line.roster, ledger)
    if names is None:
        return known
    rows = ["\t".join(name) for name in names if all(map(is_plain, (*name[0].split(" "), *name[1:3])))]
    if has_errors:  # while somebody edits the roster, the names of its broken entries stay
        rows = list({row.rpartition("\t")[0]: row for row in (*known, *rows)}.values())
    if not any("\n" in source for source in sources):
        text = "\n".join([TITLE, settings(), *sources, "", *rows])
        write_cache(line.cache, text.encode("utf-8", "surrogateescape"))
    return rows


def is_fresh(lines: "Sequence[str]") -> bool:
    """Return whether the same sources are meant as when the cache was made, and none has changed since."""
    stamps = (line.partition("\t") for line in lines[2 : SOURCES + 2])
    # In their order: a cache that knows the roster's stamp was made here, so its other paths are ours.
    return lines[1] == settings() and all(known == stamp(path) for known, _, path in stamps)


def settings() -> str:
    """Return, on one line, what decides where ledger and config file are."""
    # Never a whole URL: it may hold a password.
    ledger = os.path.expanduser(os.environ.get("PROFILECTL_LEDGER") or "")
    path = "://" if "://" in ledger else ledger and os.path.abspath(ledger)
    host = (os.environ.get("PROFILECTL_API_URL") or "").rpartition("@")[2]
    folders = os.environ.get("XDG_CONFIG_HOME"), os.environ.get("XDG_STATE_HOME"), os.environ.get("HOME")
    return ascii((path, host, *folders, stamp(_POLICY)))


def stamp(path: str) -> str:
    """Return what changes whenever a file does, among it the change time, which nobody can set."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ABSENT
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def candidates(rows: "Sequence[str]", kind: str, brands: "Sequence[str]", words: "Sequence[str]") -> dict[str, str]:
    """Return the names of a kind, each with its description; of these brands where any are given."""
    names: dict[str, str] = {}
    for row in rows:
        fields = row.split("\t")
        row_kind, _, agent = fields[0].partition(" ")
        # Behind ``adopt`` and an agent, the retired profiles of others are left out: it would refuse them.
        if row_kind != kind or len(fields) != 4 or (agent and "adopt" in words and agent not in words):
            continue
        _, brand, name, description = fields
        # Checked here, too: whoever can write the cache must not get a word into the line that a shell would run.
        if (not brands or brand in brands or kind == "brands") and name not in names and is_plain(name):
            shown = f"@{name}" if kind == "customers" else name  # which no shell but PowerShell takes for more
            names[shown] = description if description.isprintable() and len(description) <= _LONGEST else ""
    return names


def is_plain(name: str) -> bool:
    """Return whether no shell could take a word for anything but a name."""
    return bool(name) and name[0] not in ".-" and not name.strip(_PLAIN)


def _values(option: str, words: "Sequence[str]") -> list[str]:
    """Return what an option was given, as ``--option value`` or ``--option=value``."""
    apart = [words[at + 1] for at, word in enumerate(words[:-1]) if word == option]
    joined = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    return apart + joined
