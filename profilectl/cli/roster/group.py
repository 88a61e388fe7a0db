"""The words of the ``roster`` group, in the order of its help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from profilectl.cli.options import add_group
from profilectl.cli.people.exporting import export_people
from profilectl.cli.people.importing import import_people
from profilectl.cli.people.pulling import pull
from profilectl.cli.roster.check import check
from profilectl.cli.roster.edit import add, fmt, remove, rename, set_fields
from profilectl.cli.roster.list import listing
from profilectl.cli.roster.show import show

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the ``roster`` group."""
    commands: dict[str, Callable[..., None]] = {
        "check": check,
        "list": listing,
        "show": show,
        "add": add,
        "set": set_fields,
        "remove": remove,
        "rename": rename,
        "fmt": fmt,
        "import": import_people,
        "export": export_people,
        "pull": pull,
    }
    add_group(app, "roster", "The roster file: who your agents are.", commands)
