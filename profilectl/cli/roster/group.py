"""The words of the ``roster`` group, in the order of its help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.cli.options import add_group

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``roster`` group; only what is asked for is loaded."""
    commands = {
        "check": "roster.check.check",
        "list": "roster.list.listing",
        "show": "roster.show.show",
        "add": "roster.edit.add",
        "set": "roster.edit.set_fields",
        "remove": "roster.edit.remove",
        "rename": "roster.edit.rename",
        "fmt": "roster.edit.fmt",
        "import": "people.importing.import_people",
        "export": "people.exporting.export_people",
        "pull": "people.pulling.pull",
    }
    add_group(app, "roster", "The roster file: who your agents are.", commands, word)
