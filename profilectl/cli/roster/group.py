"""The words of the ``roster`` group, in the order of its help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.cli.options import add_group
from profilectl.cli.roster.check import check
from profilectl.cli.roster.list import listing

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the ``roster`` group."""
    add_group(app, "roster", "The roster file: who your agents are.", {"check": check, "list": listing})
