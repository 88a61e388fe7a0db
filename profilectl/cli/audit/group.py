"""The commands of the ``audit`` group, in the order of the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.cli.audit.checkpoint import checkpoint
from profilectl.cli.audit.export import export
from profilectl.cli.audit.prune import prune
from profilectl.cli.audit.questions import log, sent, who
from profilectl.cli.audit.verify import verify
from profilectl.cli.options import add_group
from profilectl.cli.reconcile import reconcile_record

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the ``audit`` group."""
    add_group(
        app,
        "audit",
        "The record: who changed and sent what, as whom.",
        {
            "log": log,
            "who": who,
            "sent": sent,
            "verify": verify,
            "checkpoint": checkpoint,
            "reconcile": reconcile_record,
            "export": export,
            "prune": prune,
        },
    )
