"""The ``auth`` group; `accounts` is what `doctor` uses as well, so the rest is loaded when the group is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``auth`` group."""
    from profilectl.cli.auth import group

    group.register(app, word)
