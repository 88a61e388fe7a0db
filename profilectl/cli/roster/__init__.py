"""The ``roster`` group: one module for a command, or for those that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``roster`` group."""
    from profilectl.cli.roster import group

    group.register(app, word)
