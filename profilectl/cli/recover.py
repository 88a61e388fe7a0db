"""``recover``: a lost ledger's bindings, rebuilt from names and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.cli.prompts import confirm
from profilectl.errors import Declined, ExitCode, UsageError
from profilectl.ledger.accounts import check_account, require_distinct
from profilectl.profiles.matching import Doubt, Finding
from profilectl.profiles.recovery import JOBS, BrandFindings, Match, bind, examine
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader

_HEADERS = ("result", "brand", "agent", "profile", "name", "because")
_DOUBTS = {
    Doubt.SHARED_NAME: "several agents have this name, and the pictures don't tell them apart",
    Doubt.SEVERAL: "several profiles have this name, and the pictures don't tell them apart",
    Doubt.NO_PICTURE: "the live picture can't be had",
    Doubt.OTHER_PICTURE: "the live picture is another one than the roster's",
    Doubt.OTHER_NAME: "a profile shows the agent's picture, and has another name",
    Doubt.OTHER_BINDING: "the ledger has another profile for this agent, and doesn't know this one of the same name",
}
_MAX_WAIT = 60.0  # seconds that binding waits for another run to end


def recover(
    context: Context,
    yes: Annotated[bool, option("--yes", "Bind what is sure without asking.")] = False,
) -> None:
    """Rebuild a lost ledger from the profiles at X.

    An agent gets the profile of exactly its name that shows its picture; agents of one name are told apart by their
    pictures. A profile that shows an agent's picture under another name is bound only after a question of its own. What
    is doubtful is listed with the command that decides it, and makes the exit code 7. Nothing is created or destroyed
    at X, and bindings that the ledger still has stay as they are; where X has another profile of such an agent's name,
    as after a backup was restored, that is doubtful.
    """
    context.require_admin("recover the ledger")
    if not yes and not context.may_ask:  # before X is asked for lists and pictures that nobody would use
        context.brands()  # a roster that can't be read, or hasn't a brand, would be refused with --yes as well
        raise UsageError(
            f"nothing was bound: {context.cannot_ask}", hint="--yes binds what is sure; what is doubtful is only listed"
        )
    clients = {brand.key: context.connect(brand, jobs=JOBS) for brand in context.brands()}
    examined = _bind_sure(context, clients) if yes else _bind_agreed(context, clients)
    findings = [finding for brand_findings in examined for finding in brand_findings.findings]
    code = ExitCode.PERSON if any(finding.doubt is not None for finding in findings) else ExitCode.DONE
    _show(context, findings, code, sum(brand_findings.others for brand_findings in examined))
    if any(brand_findings.is_anew and brand_findings.sure for brand_findings in examined):
        command = visible(f"profilectl offboard AGENT{context.again()}")
        info(f"who was offboarded isn't known any more: run `{command}` for each of them before anybody sends")
    raise typer.Exit(code)


def _examine(context: Context, clients: dict[str, XClient], ledger: LedgerReader) -> list[BrandFindings]:
    current = context.reread()
    examined: list[BrandFindings] = []
    for brand in current.brands():
        agents, client = current.roster.agents_of(brand.key), clients[brand.key]
        examined.append(examine(brand, agents, client, ledger, current.load_pictures, examined, current.roster.moved))
    return examined


def _bind_sure(context: Context, clients: dict[str, XClient]) -> list[BrandFindings]:
    """Bind what is sure, as it is under the lock."""
    accounts = {key: client.verify_credentials() for key, client in clients.items()}
    require_distinct(accounts, context.brands())
    for brand in context.brands():  # before a ledger is made for the wrong account
        check_account(brand, accounts[brand.key], context.ledger_for_reading())
    ledger = context.ledger_for_writing()
    with ledger.lock(_MAX_WAIT, "profilectl recover", context.announce_wait):
        examined = _examine(context, clients, ledger)
        _bind(context, ledger, examined, clients)
    return examined


def _bind(context: Context, ledger: Ledger, examined: Sequence[BrandFindings], clients: dict[str, XClient]) -> None:
    user_ids = {brand_findings.brand.key: brand_findings.account.user_id for brand_findings in examined}
    with ledger.noting(context.reread().profile_facts(user_ids).of):
        bind(ledger, examined, lambda brand: clients[brand].now_ms())


def _bind_agreed(context: Context, clients: dict[str, XClient]) -> list[BrandFindings]:
    """Bind what a person agrees to; asked without the lock, and asked anew when under it something else is true."""
    examined = _examine(context, clients, context.ledger_for_reading())
    while agreed := _ask(examined, context.on_local_x):
        ledger = context.ledger_for_writing()
        with ledger.lock(_MAX_WAIT, "profilectl recover", context.announce_wait):
            examined = [brand_findings.agreeing(agreed) for brand_findings in _examine(context, clients, ledger)]
            if agreed == {match for brand_findings in examined for match in brand_findings.sure}:
                _bind(context, ledger, examined, clients)
                return examined
        info("something has changed meanwhile, so nothing was bound; now it is:")
    return examined


def _ask(examined: Sequence[BrandFindings], where: str) -> set[Match]:
    """Return the matches that a person agrees to, nothing when there are none; Declined when it is none of them.

    `where` follows what is asked, see `Context.on_local_x`.
    """
    sure = [match for brand_findings in examined for match in brand_findings.sure]
    renamed = [match for brand_findings in examined for match in brand_findings.renamed]
    agreed = set(sure) if sure and _agrees(sure, "", where) else set()
    if sure and not agreed:
        raise Declined("nothing was changed")
    if renamed and _agrees(renamed, " by the picture alone", where):
        agreed |= set(renamed)
    if renamed and not agreed:
        raise Declined("nothing was changed")
    return agreed


def _agrees(matches: Sequence[Match], how: str, where: str) -> bool:
    # Every binding is shown, because a wrong one puts one person's name under another's words.
    for match in matches:
        other_name = f'; the roster calls {match.agent} "{match.name}"' if how else ""
        info(visible(f'{match.agent} ({match.brand}) is profile {match.profile.id} "{match.profile.name}"{other_name}'))
    number = "1 profile" if len(matches) == 1 else f"{len(matches)} profiles"
    return confirm(f"Bind {number}{how}{where}?")


def _show(context: Context, findings: list[Finding], code: ExitCode, others: int) -> None:
    document = json_documents.recover(code, findings, context.again(), others)
    columns = ("status", "brand", "agent", "profile_id", "name", "why")
    context.output.show(document, _HEADERS, [[row[key] or "" for key in columns] for row in document["results"]])
    for finding in findings:
        if finding.doubt is not None:
            _show_doubt(context, finding, finding.doubt)
    if not context.is_quiet or code:
        counts = document["summary"]
        result = ", ".join(f"{number} {status}" for status, number in counts.items() if number) or "nothing to recover"
        info(f"{result}{context.on_local_x}")
        if counts["absent"]:
            info("absent: X has no profile of that name; `profilectl sync` makes one")
        if others:
            info(_others(others, context.again()))


def _others(number: int, options: str) -> str:
    # a lost ledger knew which of them had been replaced and were to go; this one can't
    them = "1 more profile" if number == 1 else f"{number:,} more profiles"
    listing = visible(f"profilectl profiles list{options}")
    return (
        f"X lists {them} that this ledger doesn't know, such as former ones of agents: nothing is sent with them, and "
        f"sync leaves them as they are; `{listing}` shows them, and `profilectl profiles destroy ID` ends one"
    )


def _show_doubt(context: Context, finding: Finding, doubt: Doubt) -> None:
    # A person decides, so each candidate stands with the exact command that takes it all the same.
    agent = finding.agent
    info(f'{agent.key} ({agent.brand}): {_DOUBTS[doubt]}, "{visible(agent.name)}"')
    for candidate in finding.candidates:
        picture = candidate.problem or ("same face" if candidate.is_close else "another face")
        profile = candidate.profile
        name = f' "{visible(profile.name)}"' if doubt is Doubt.OTHER_NAME else ""
        created = json_documents.timestamp(profile.created_ms)
        adopt = json_documents.adopt_command(agent.brand, agent.key, profile.id, context.again())
        info(f"  {profile.id}{name}, made {created}, {visible(picture)}; if it is {agent.key}'s, run: {visible(adopt)}")
    if not finding.candidates:
        info("  every profile of this name is listed beside another agent: decide those first")
