"""``ledger migrate``: a ledger that goes to another place."""

from __future__ import annotations

import shlex
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    MAX_WAIT,
    absolute,
    exists,
    is_of_ledger,
    open_at,
    open_writable,
    place_of,
)
from profilectl.cli.options import argument, option
from profilectl.cli.prompts import require_consent
from profilectl.errors import LedgerRefused, UsageError
from profilectl.ledger import relocation
from profilectl.ledger.address import parse_place
from profilectl.ledger.store import refusal_of_mark
from profilectl.render import ledger as render
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.ledger.files import Place
    from profilectl.ledger.export import Extent
    from profilectl.ledger.store import Store


def migrate(
    context: Context,
    address: Annotated[str, argument("ADDRESS", "Where to: a path, or postgresql://HOST/DATABASE.")],
    yes: Annotated[bool, option("--yes", "Move it without asking.")] = False,
) -> None:
    """Move the ledger to another place.

    It is copied whole and compared; then the old one is marked as moved, and every command that uses it is refused
    with the new address. Syncs wait until it is done, and so does send in the last moment. When it is cut short,
    the same command finishes it; until then either the old ledger stays in use, or neither is used.
    """
    context.require_admin("move the ledger")
    if context.uses_sandbox:
        raise UsageError("the sandbox keeps its ledger beside the roster", hint="leave --sandbox out")
    old, new = place_of(context), absolute(parse_place(address))
    goal = _moved_to(context, old, new)
    if goal == str(new):
        _finish_move(context, old, new)
        return
    if goal is not None:
        raise refusal_of_mark("moved_to", goal)
    question = f"Move the ledger from {visible(str(old))} to {visible(str(new))}? All that use it need the new address."
    require_consent(context, question, "moved", yes=yes)
    source = cast("Store", context.ledger_for_writing()).engine
    old = place_of(context)  # one beside the roster was moved to the state folder just now
    target = partial(_open_marked, context, new)
    with source.lock(MAX_WAIT, "profilectl ledger migrate", context.announce_wait), tempfile.TemporaryFile() as spool:
        extent = relocation.migrate(source, target, spool, str(old), str(new))
        with target() as ledger:
            relocation.finish(source, ledger.engine, str(old), str(new))
    _show_move(context, old, new, extent)


def _moved_to(context: Context, old: Place, new: Place) -> str | None:
    with closing(open_at(context, old, even_moved=True)) as ledger:
        if not exists(old, ledger):
            hint = "the first `profilectl sync` makes it"
            raise LedgerRefused(f"there is no ledger at {visible(str(old))}", hint=hint)
        if new == old or (isinstance(old, Path) and isinstance(new, Path) and is_of_ledger(new, old)):
            raise UsageError(f"{visible(str(new))} is where the ledger is already", hint="name another place")
        return relocation.goal_of(ledger.engine)


def _open_marked(context: Context, place: Place) -> Store:
    return open_writable(context, place, even_moved=True)


def _finish_move(context: Context, old: Place, new: Place) -> None:
    with closing(open_at(context, new, even_moved=True)) as target:
        if not exists(new, target):  # opened for writing, an empty one would take its place
            hint = f"restore it there; {relocation.former(str(old))}"
            raise LedgerRefused(f"the ledger was moved to {visible(str(new))}, and isn't there", hint=visible(hint))
    with closing(open_at(context, old, even_moved=True)) as source, _open_marked(context, new) as target:
        is_new = relocation.finish(source.engine, target.engine, str(old), str(new))
        extent = relocation.extent_of(target.engine)
    if not is_new:
        context.remark("the ledger was moved before, so nothing changed")
    _show_move(context, old, new, extent)


def _show_move(context: Context, old: Place, new: Place, extent: Extent) -> None:
    address = visible(shlex.quote(str(new)))
    context.output.show(
        render.copy("migrate", str(old), str(new), extent.rows, extent.digest),
        lines=[
            f"the ledger is {visible(str(new))} now ({extent.rows} rows)",
            f"everywhere it is used, set PROFILECTL_LEDGER={address}, or the key ledger in {context.config_file}",
        ],
    )
