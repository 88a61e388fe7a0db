"""Makes the names cache that `candidates` reads: once after every change, by the TAB that finds it too old.

It lies beside the ledger, in a folder that a command has made before, is private to its owner, and is replaced as a
whole. Where it can't be written, every TAB takes as long as the first one.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from profilectl.completion.names import CACHE, TITLE, is_plain, settings, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from profilectl.cli.context import Context
    from profilectl.completion.names import Place
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Agent, Brand, Event, LedgerState

_LATELY_MS = 3 * 86_400_000  # how long a forgotten profile is offered: a busy brand's audit trail is long to read


def make(place: Place, known: Sequence[str]) -> Sequence[str]:
    """Return the rows of a roster and its ledger, and keep them where the cache's folder exists.

    A ledger that can't be read adds nothing to them.

    Args:
        place: of the roster.
        known: the rows of an older cache, which fill the gaps that errors in the roster leave.
    """
    from pathlib import Path

    from profilectl.cli.context import Context
    from profilectl.cli.options import Options
    from profilectl.config import config_path

    context = Context(options=Options(roster=Path(place.roster), sandbox=place.uses_sandbox))
    sources = [_source(place.roster), _source(str(config_path()))]  # stamped before they are read, to miss no change
    ledger = _ledger_path(context)
    sources += [_source(ledger), _source(ledger and f"{ledger}-wal")]
    rows = _rows(context, known)
    if not any("\n" in source for source in sources):
        _keep(place, "\n".join([TITLE, settings(), *sources, "", *rows]))
    return rows


def _source(path: str) -> str:
    return f"{stamp(path)}\t{path}"


def _ledger_path(context: Context) -> str:
    """Return the absolute path of the ledger; empty when nobody can tell it."""
    from profilectl.errors import ProfilectlError

    try:
        return str(context.ledger_path.absolute())
    except ProfilectlError:
        return ""


def _rows(context: Context, known: Sequence[str]) -> Sequence[str]:
    from profilectl.errors import InputRefused
    from profilectl.roster.parser import parse_partially

    try:
        found = parse_partially(context.read_roster(), "")
    except InputRefused:
        return known
    known_of = _knowledge(context, found.brands)
    rows = [
        f"{kind}\t{brand.key}\t{name}\t{_plain(told)}"
        for brand in found.brands
        for kind, name, told in (*_names(brand, found.agents, known_of[brand][0]), *_profiles(*known_of[brand]))
        if all(is_plain(word) for word in (*kind.split(" "), brand.key, name))
    ]
    if not any(problem.severity == "error" for problem in found.problems):
        return rows
    return list({row.rpartition("\t")[0]: row for row in (*known, *rows)}.values())


def _knowledge(context: Context, brands: Iterable[Brand]) -> dict[Brand, tuple[LedgerState, Iterable[Event]]]:
    """Return what the ledger holds of each brand, and the events of the profiles that it has forgotten lately."""
    from profilectl.errors import ProfilectlError
    from profilectl.model import LedgerState

    known: dict[Brand, tuple[LedgerState, Iterable[Event]]] = {brand: (LedgerState(), ()) for brand in brands}
    with suppress(ProfilectlError), context.stack:
        ledger = context.ledger_for_reading()
        accounts = {brand: ledger.account_of(brand.key) for brand in known}
        for brand, one in accounts.items():
            if one is not None:
                known[brand] = ledger.state_of(one.user_id), _forgotten(ledger, one.user_id)
    return known


def _forgotten(ledger: LedgerReader, user_id: str) -> Iterable[Event]:
    """Return the events of profiles about which the last word is that they were forgotten; none of a damaged trail."""
    from profilectl.errors import ProfilectlError

    last: dict[str | None, Event] = {}
    with suppress(ProfilectlError):
        last = {event.profile_id: event for event in ledger.recent(user_id, int(time.time() * 1000) - _LATELY_MS)}
    return [event for event in last.values() if event.what == "forgotten"]


def _names(brand: Brand, agents: Iterable[Agent], held: LedgerState) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and description of a brand and its agents.

    Agents who left the roster are among them, because `offboard` and `profiles forget` are about those.
    """
    yield "brands", brand.key, f"@{brand.handle}"
    people = {one.key: f"{one.name} · {one.kind}" for one in agents if one.brand == brand.key}
    people |= {key: f"{people[key]} · offboarded" for key in held.blocked & people.keys()}
    gone = dict.fromkeys(sorted(held.blocked), "offboarded")
    gone |= {one.agent: f"{one.name} · retired" for one in held.retired}
    gone |= {one.agent: f"{one.name} · not in the roster" for one in held.bindings}
    yield from (("agents", key, told) for key, told in (gone | people).items())


def _profiles(held: LedgerState, forgotten: Iterable[Event]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, id and description of the profiles that no agent uses: those are the ones that commands take."""
    for one in held.retired:
        yield f"profiles {one.agent}", one.profile_id, f"{one.name} · retired, was {one.agent}'s"
    ours = {one.profile_id for one in held.bindings} | {one.profile_id for one in held.retired}
    for event in forgotten:
        if event.profile_id and event.profile_id not in ours:  # events of two clocks may tell otherwise
            yield "profiles", event.profile_id, f"{event.detail['name']} · forgotten, was {event.agent}'s"


def _plain(told: str) -> str:
    """Return a description without anything that a terminal or a reader of the cache could take for more."""
    from profilectl.text.escape import visible

    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in visible(told))


def _keep(place: Place, text: str) -> None:
    """Replace the cache, unless its folder is missing, a link, somebody else's, or can't be written."""
    with suppress(OSError), ExitStack() as stack:
        folder = os.open(place.folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, folder)
        for name in place.folders:
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            stack.callback(os.close, folder)
        if os.fstat(folder).st_uid == os.geteuid():
            _replace(folder, text.encode("utf-8", "surrogateescape"))


def _replace(folder: int, content: bytes) -> None:
    draft = f".names.{os.urandom(8).hex()}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(draft, CACHE, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(draft, dir_fd=folder)
        raise
