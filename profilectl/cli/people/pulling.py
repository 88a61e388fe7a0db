"""``roster pull``: the people of a directory into the roster."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import argument, option
from profilectl.cli.prompts import require_consent
from profilectl.errors import ExitCode
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.people.pulling import Pull
    from profilectl.people.sources import Source
    from profilectl.people.tables import Table

_PRIVATE = re.compile(r"(?m)^([ +-]legal_name[ \t]*=).*$")


def pull(
    context: Context,
    directory: Annotated[str | None, argument("[DIRECTORY]", "okta, entra, google or zendesk.")] = None,
    dry_run: Annotated[bool, option("--dry-run", "Show the difference, and write nothing.")] = False,
    max_deletes: Annotated[int | None, option("--max-deletes N", "How many may leave at once.", min=0)] = None,
    yes: Annotated[bool, option("--yes", "Write without asking.")] = False,
) -> None:
    """Bring the roster up to date with a directory of people.

    Your config.toml names the directory, as [people.okta] or the like; nothing is written to it. Who is new is added,
    who has left is removed, and what has changed is set; but a field that somebody has edited by hand stays as it is.
    X isn't called.
    """
    from profilectl.cli.people.importing import require_readable
    from profilectl.cli.people.lists import photo_source, tell_about
    from profilectl.people.importing import write
    from profilectl.people.mapping import map_columns
    from profilectl.people.pulling import memory_path, plan_pull, read_memory, write_memory
    from profilectl.people.sources import choose
    from profilectl.render import people as shown

    source = choose(context.config.people, directory, str(context.config.path))
    path, content, name = context.roster_path, context.read_roster(), str(context.roster_path)
    require_readable(content, name)
    remembered = memory_path(context.environ, path, source.kind)
    memory = read_memory(remembered)
    table = _read(context, source)
    mapping = map_columns(table.headers, [f"{field}={column}" for field, column in source.columns.items()])
    allowed = source.max_deletes if max_deletes is None else max_deletes
    photos = photo_source(context, path, None)
    result = plan_pull(content, name, table, mapping, memory, photos, max_deletes=allowed)
    change = result.change
    is_written = change.changes_anything and not dry_run
    if change.changes_anything and not context.wants_json:
        # A patch with folded lines is none.
        context.output.show({}, lines=_diff(context, source, content.decode("utf-8"), change.text), folded=False)
    tell_about(context, change)
    _tell_kept(context, result)
    info(f"{shown.summary(change)}{'; nothing was written (--dry-run)' if dry_run else ''}")
    if is_written:
        require_consent(context, f"Write this to {visible(name)}?", "written", yes=yes)
        write(change, path, content)
    if not dry_run:  # after the roster: whoever is killed between the two writes nothing a second time
        write_memory(remembered, result.memory)
    if context.wants_json:
        context.output.show(shown.document(table, mapping, change, is_written=is_written))
    raise typer.Exit(ExitCode.DONE)


def _read(context: Context, source: Source) -> Table:
    from profilectl.api.directories.client import NAMES, Directory
    from profilectl.credentials.directory_token import find_token
    from profilectl.credentials.keyring import Keychain
    from profilectl.people.tables import table_of

    keychain = Keychain(attended=context.may_ask, environ=context.environ)
    token = find_token(source.kind, source.token_file, source.token_command, keychain)
    context.secrets.append(token)  # before the first call, which the log may show
    if context.options.verbose:
        from profilectl.cli.crash_log import log_calls

        log_calls(context.secrets)
    with Directory(
        source.kind,
        source.url,
        token,
        user=source.user,
        deadline=context.deadline,
        announce=context.announce_wait,
    ) as directory:
        people = map(_with_text_id, directory.people(source.group))
        return table_of(people, source.url, NAMES[source.kind])


def _with_text_id(person: object) -> dict[str, object]:
    fields = dict(person) if isinstance(person, dict) else {}
    return {**fields, "id": str(fields.get("id", ""))}


def _diff(context: Context, source: Source, before: str, after: str) -> Iterator[str]:
    """Yield a patch of the roster, with the moment at which it was made; legal names are masked."""
    from profilectl.render.json_documents import timestamp

    name, when = visible(context.roster_path.as_posix()), timestamp(int(context.clock.now() * 1000))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    for number, line in enumerate(lines):
        if number < 2:  # the two lines that name the file
            yield f"{line[:3]} {name}\t" + (f"{when} {source.kind}" if number else "before")
        else:
            yield visible(_PRIVATE.sub(r"\1 (private)", line))


def _tell_kept(context: Context, result: Pull) -> None:
    from profilectl.cli.people.lists import some

    if result.kept:
        fields = [f"{agent}.{field}" for agent, field in result.kept]
        context.remark(f"edited by hand, so left as they are: {some(fields)}")
    if result.stay_out:
        context.remark(f"removed by hand, so left out: {some(result.stay_out)}")
