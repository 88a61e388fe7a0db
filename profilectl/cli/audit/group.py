"""The commands of the ``audit`` group, in the order of the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.cli.options import add_group

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``audit`` group; only what is asked for is loaded."""
    commands = {
        "log": "audit.questions.log",
        "who": "audit.questions.who",
        "sent": "audit.questions.sent",
        "verify": "audit.verify.verify",
        "checkpoint": "audit.checkpoint.checkpoint",
        "reconcile": "reconcile.reconcile_record",
        "export": "audit.export.export",
        "prune": "audit.prune.prune",
    }
    add_group(app, "audit", "The record: who changed and sent what, as whom.", commands, word)
