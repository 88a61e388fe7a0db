"""``recover``: a lost ledger's bindings, rebuilt from names and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.cli.prompts import confirm
from profilectl.errors import Declined, ExitCode, UsageError
from profilectl.profiles.recovery import JOBS, Doubt, Finding, bind, examine
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.profiles.recovery import BrandFindings

_HEADERS = ("result", "brand", "agent", "profile", "name", "because")
_DOUBTS = {
    Doubt.SHARED_NAME: "several agents have this name",
    Doubt.SEVERAL: "several profiles have this name",
    Doubt.NO_PICTURE: "the live picture can't be had",
    Doubt.OTHER_PICTURE: "the live picture is another one than the roster's",
}


def recover(
    context: Context,
    yes: Annotated[bool, option("--yes", "Bind what is sure without asking.")] = False,
) -> None:
    """Rebuild a lost ledger from the profiles at X.

    An agent gets the one profile of exactly its name, when the live picture looks like the roster's. What is doubtful
    is listed with the command that decides it, and makes the exit code 7. Nothing is created or destroyed at X, and
    bindings that the ledger still has stay as they are.
    """
    context.require_admin("recover the ledger")
    if not yes and not context.may_ask:  # before X is asked for lists and pictures that nobody would use
        raise UsageError("nobody is here to ask", hint="--yes binds what is sure; what is doubtful is only listed")
    ledger, roster = context.ledger_for_reading(), context.roster
    examined = [
        examine(brand, roster.agents_of(brand.key), context.connect(brand, jobs=JOBS), ledger, context.load_pictures)
        for brand in context.brands()
    ]
    count = sum(len(brand_findings.sure) for brand_findings in examined)
    if count and not yes:
        _ask(examined, count)
    if count:
        bind(context.ledger_for_writing(), examined, context.announce_wait)
    findings = [finding for brand_findings in examined for finding in brand_findings.findings]
    code = ExitCode.PERSON if any(finding.doubt is not None for finding in findings) else ExitCode.DONE
    _show(context, findings, code)
    raise typer.Exit(code)


def _ask(examined: list[BrandFindings], count: int) -> None:
    # Every binding is shown, because a wrong one puts one person's name under another's words.
    for brand_findings in examined:
        for agent, candidate in brand_findings.sure:
            info(visible(f'{agent.key} ({agent.brand}) is profile {candidate.profile.id} "{agent.name}"'))
    if not confirm("Bind 1 profile?" if count == 1 else f"Bind {count} profiles?"):
        raise Declined("nothing was changed")


def _show(context: Context, findings: list[Finding], code: ExitCode) -> None:
    document = json_documents.recover(code, findings, context.again())
    columns = ("status", "brand", "agent", "profile_id", "name", "why")
    context.output.show(document, _HEADERS, [[row[key] or "" for key in columns] for row in document["results"]])
    for finding in findings:
        if finding.doubt is not None:
            _show_doubt(context, finding, finding.doubt)
    if not context.is_quiet or code:
        counts = document["summary"]
        info(", ".join(f"{number} {status}" for status, number in counts.items() if number) or "nothing to recover")
        if counts["absent"]:
            info("absent: X has no profile of that name; `profilectl sync` makes one")


def _show_doubt(context: Context, finding: Finding, doubt: Doubt) -> None:
    # A person decides, so each candidate stands with the exact command that takes it all the same.
    agent = finding.agent
    info(f'{agent.key} ({agent.brand}): {_DOUBTS[doubt]}, "{visible(agent.name)}"')
    for candidate in finding.candidates:
        picture = candidate.problem or ("same face" if candidate.is_close else "another face")
        profile = candidate.profile
        created = json_documents.timestamp(profile.created_ms)
        adopt = json_documents.adopt_command(agent.brand, agent.key, profile.id, context.again())
        info(f"  {profile.id}, made {created}, {visible(picture)}; if it is {agent.key}'s, run: {visible(adopt)}")
