"""The ``ledger`` group; `files` is what the record's commands use as well, so the rest is loaded when the group is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``ledger`` group."""
    from profilectl.cli.ledger import group

    group.register(app, word)
