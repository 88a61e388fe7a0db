"""``recover``: a lost ledger's bindings, found again from names and faces."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.authority import require_admin
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.cli.profiles import adopt_command
from profilectl.cli.prompts import confirm
from profilectl.errors import AvatarRefused, Declined, ExitCode, RemoteError, TryLater, UsageError
from profilectl.model import Event
from profilectl.profiles.recovery import Candidate, Doubt, Finding, conclude, search
from profilectl.render import documents
from profilectl.render.console import draw, info, is_terminal, out, write_rows
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.model import Account, Agent, Brand, LedgerState, PreparedPicture, Profile

_JOBS = 8  # pictures that are fetched at once
_HEADERS = ("result", "brand", "agent", "profile", "name", "because")
_DOUBTS = {
    Doubt.SHARED_NAME: "several agents have this name",
    Doubt.SEVERAL: "several profiles have this name",
    Doubt.NO_PICTURE: "the live picture can't be had",
    Doubt.OTHER_FACE: "the live picture is another one than the roster's",
}


def register(app: typer.Typer) -> None:
    """Add ``recover``."""
    app.command("recover")(command(recover))


@dataclass(frozen=True)
class _Brand:
    """What was found in one brand."""

    brand: Brand
    account: Account
    client: XClient
    ledger_state: LedgerState
    findings: tuple[Finding, ...]
    faces: Mapping[str, PreparedPicture]  # by the avatar as the roster writes it

    @property
    def sure(self) -> list[tuple[Agent, Candidate]]:
        return [(one.agent, one.sure) for one in self.findings if one.sure is not None]


def recover(
    context: Context,
    yes: Annotated[bool, typer.Option("--yes", help="Bind what is sure without asking.")] = False,
) -> None:
    """Rebuild a lost ledger from the profiles at X.

    An agent gets the one profile of exactly its name, when the live picture looks like the roster's. What is doubtful
    is listed with the command that decides it, and makes the exit code 7. Nothing is created or destroyed at X, and
    bindings that the ledger still has stay as they are.
    """
    require_admin(context, "recover the ledger")
    if not yes and not context.may_ask:
        raise UsageError("nobody is here to ask", hint="--yes binds what is sure; what is doubtful is only listed")
    ledger = context.ledger_for_reading()
    found = [_look(context, brand, ledger) for brand in context.brands()]
    count = sum(len(one.sure) for one in found)
    if count and not yes:
        for row in _rows(context, found, "sure"):
            if row["status"] == "sure":
                info(visible(f'{row["agent"]} ({row["brand"]}) is profile {row["profile_id"]} "{row["name"]}"'))
        if not confirm("Bind 1 profile?" if count == 1 else f"Bind {count} profiles?"):
            raise Declined("nothing was changed")
    if count:
        _bind(context.ledger_for_writing(), found, context)
    doubtful = any(finding.doubt is not None for one in found for finding in one.findings)
    code = ExitCode.PERSON if doubtful else ExitCode.DONE
    _report(context, found, code)
    raise typer.Exit(code)


def _look(context: Context, brand: Brand, ledger: LedgerReader) -> _Brand:
    """List a brand's profiles, and compare the faces of those that bear an agent's name."""
    from concurrent.futures import ThreadPoolExecutor

    from profilectl.ledger.accounts import check_account

    client = context.connect(brand, jobs=_JOBS)
    account = client.verify_credentials()
    check_account(brand, account, ledger)
    ledger_state = ledger.state_of(account.user_id)
    matches = search(context.roster.agents_of(brand.key), client.list_profiles(), ledger_state)
    faces = _faces(context, [agent for agent, profiles in matches if profiles])
    with ThreadPoolExecutor(_JOBS, thread_name_prefix="face") as pool:
        pending = [
            (agent, [pool.submit(_compare, client, profile, faces[agent.avatar]) for profile in profiles])
            for agent, profiles in matches
        ]
        sightings = [(agent, tuple(one.result() for one in waiting)) for agent, waiting in pending]
    return _Brand(brand, account, client, ledger_state, conclude(sightings), faces)


def _faces(context: Context, agents: list[Agent]) -> dict[str, PreparedPicture]:
    pictures = context.inspect_pictures(agents)
    prepared = context.prepare_pictures({picture.digest: picture for picture in pictures.values()}.values())
    return {avatar: prepared[picture.digest] for avatar, picture in pictures.items()}


def _compare(client: XClient, profile: Profile, face: PreparedPicture) -> Candidate:
    from profilectl.pictures.similarity import distance

    try:
        return Candidate(profile, distance(face.content, client.download(profile.avatar_url), profile.avatar_url))
    except (RemoteError, AvatarRefused) as error:
        return Candidate(profile, None, error.message)


def _bind(ledger: Ledger, found: list[_Brand], context: Context) -> None:
    from profilectl.ledger.accounts import check_account

    with ledger.lock(60, "profilectl recover", context.announce_wait):
        for one in found:
            check_account(one.brand, one.account, ledger)
            if ledger.state_of(one.account.user_id) != one.ledger_state:
                raise TryLater(f"the ledger of brand {one.brand.key} has changed meanwhile", hint="run recover again")
        for one in found:
            if one.sure:
                _bind_brand(ledger, one)


def _bind_brand(ledger: Ledger, one: _Brand) -> None:
    user_id, now_ms = one.account.user_id, one.client.now_ms()
    ledger.register_account(one.brand.key, one.account, now_ms)
    for agent, candidate in one.sure:
        face = one.faces[agent.avatar]
        ledger.adopt(
            user_id,
            agent.key,
            candidate.profile,
            avatar=face.source_digest,
            protected=agent.protected,
            now_ms=now_ms,
        )
    doubtful = sum(finding.doubt is not None for finding in one.findings)
    ledger.record(Event("recovered", user_id, now_ms, detail={"bound": len(one.sure), "doubtful": doubtful}))


def _rows(context: Context, found: list[_Brand], sure: str) -> list[documents.Document]:
    return [_row(context, finding, sure) for one in found for finding in one.findings]


def _row(context: Context, finding: Finding, sure: str) -> documents.Document:
    agent, only = finding.agent, finding.sure
    status = sure if only is not None else "doubtful" if finding.doubt is not None else "absent"
    return {
        "brand": agent.brand,
        "agent": agent.key,
        "name": agent.name,
        "status": status,
        "profile_id": None if only is None else only.profile.id,
        "why": finding.doubt,
        "candidates": [
            {
                "profile_id": one.profile.id,
                "created": documents.timestamp(one.profile.created_ms),
                "avatar_url": one.profile.avatar_url,
                "distance": None if one.distance is None else round(one.distance, 1),
                "problem": one.problem,
                "adopt": adopt_command(context, agent.brand, agent.key, one.profile.id),
            }
            for one in finding.candidates
        ],
    }


def _report(context: Context, found: list[_Brand], code: ExitCode) -> None:
    rows = _rows(context, found, "bound")
    if context.wants_json:
        out(documents.dump(documents.recover(code, rows)))
    else:
        _show(rows)
    for one in found:
        for finding in one.findings:
            if finding.doubt is not None:
                _tell_doubt(context, finding)
    if not context.is_quiet or code:
        counts = documents.recover(code, rows)["summary"]
        info(", ".join(f"{number} {status}" for status, number in counts.items() if number) or "nothing to recover")
        if counts["absent"]:
            info("absent: X has no profile of that name; `profilectl sync` makes one")


def _show(rows: list[documents.Document]) -> None:
    cells = [
        [row["status"], row["brand"], row["agent"], row["profile_id"] or "", row["name"], row["why"] or ""]
        for row in rows
    ]
    if not is_terminal(sys.stdout):
        write_rows(cells)
    elif cells:
        from profilectl.render.tables import listing

        draw(listing(_HEADERS, cells))


def _tell_doubt(context: Context, finding: Finding) -> None:
    """Say what speaks against each candidate, with the exact command that takes it all the same."""
    agent = finding.agent
    if finding.doubt is not None:
        info(f'{agent.key} ({agent.brand}): {_DOUBTS[finding.doubt]}, "{visible(agent.name)}"')
    for one in finding.candidates:
        face = "same face" if one.is_close else "another face" if one.distance is not None else one.problem or ""
        made = documents.timestamp(one.profile.created_ms)
        adopt = adopt_command(context, agent.brand, agent.key, one.profile.id)
        info(f"  {one.profile.id}, made {made}, {visible(face)}; if it is {agent.key}'s, run: {visible(adopt)}")
