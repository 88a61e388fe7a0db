"""The ``audit`` group; its commands are loaded when the group is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``audit`` group."""
    from profilectl.cli.audit import group

    group.register(app, word)
